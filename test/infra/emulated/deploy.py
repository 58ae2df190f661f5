"""Deploys templates in moto, an emulator of AWS, and takes the last one down again. Knows CloudFormation; no rule of the project.

Reads {"stacks": [{"name", "template"}]}, in the order of deployment, and prints what became of it. Types
that the emulator's CloudFormation has not are left out, and told; what others refer to of them has a text in its place.
"""

import ast
import json
import logging
import os
import sys
import warnings

os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")

import boto3  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from moto import mock_aws  # noqa: E402
from moto.cloudformation.parsing import resource_class_from_type  # noqa: E402


# Properties that the emulator takes for something else, and fails at.
MISREAD = {"AWS::KMS::Key": ["Tags"]}


def without_unknown(template):
    """The template of the types that the emulator has, and what was left out by its type."""
    unknown = {
        name: each["Type"]
        for name, each in template["Resources"].items()
        if resource_class_from_type(each["Type"]) is None
    }

    # Of some types the emulator knows no attribute.
    def blind(name):
        of = template["Resources"].get(name)
        return of and not hasattr(resource_class_from_type(of["Type"]), "get_cfn_attribute")

    def mended(value):
        if isinstance(value, list):
            return [mended(each) for each in value]
        if not isinstance(value, dict):
            return value
        of = value.get("Ref") or (value.get("Fn::GetAtt") or [None])[0]
        if len(value) == 1 and isinstance(of, str) and (of in unknown or ("Ref" not in value and blind(of))):
            return f"arn:aws:left-out:us-east-1:123456789012:{of}"
        return {key: mended(each) for key, each in value.items()}

    kept = {name: mended(each) for name, each in template["Resources"].items() if name not in unknown}
    for each in kept.values():
        for name in MISREAD.get(each["Type"], []):
            each["Properties"].pop(name, None)
        needed = [one for one in [each.get("DependsOn", [])] for one in (one if isinstance(one, list) else [one])]
        each["DependsOn"] = [one for one in needed if one not in unknown]
    outputs = mended(template.get("Outputs", {}))
    return {**template, "Resources": kept, "Outputs": outputs}, unknown


def code_of(call):
    """The code with which AWS refuses a call; None if it does not."""
    try:
        call()
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return None


def inline_policies(iam):
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            # Of policies that are written within their role the emulator keeps Python's own text.
            yield name, ast.literal_eval(document) if isinstance(document, str) else document


def main(request):
    cloudformation = boto3.client("cloudformation")
    iam, ecs = boto3.client("iam"), boto3.client("ecs")
    # What bootstrapping leaves.
    boto3.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String")
    certificate = boto3.client("acm").request_certificate(DomainName="vgg.example")["CertificateArn"]
    stacks = []
    for stack in request["stacks"]:
        template, unknown = without_unknown(stack["template"])
        values = {"ImageTag": "v1", "CertificateArn": certificate}
        cloudformation.create_stack(
            StackName=stack["name"],
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in values.items()
                if key in template["Parameters"]
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        found = cloudformation.describe_stacks(StackName=stack["name"])["Stacks"][0]
        made = cloudformation.describe_stack_resources(StackName=stack["name"])["StackResources"]
        stacks.append(
            {
                "name": stack["name"],
                "status": found["StackStatus"],
                "leftOut": sorted(set(unknown.values())),
                "wanted": sorted(template["Resources"]),
                "made": {each["LogicalResourceId"]: each.get("PhysicalResourceId") for each in made},
                "outputs": {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
            }
        )
    exports = cloudformation.list_exports()["Exports"]
    policies = []
    for i, (role, document) in enumerate(inline_policies(iam)):
        text = json.dumps(document)
        refused = code_of(lambda: iam.create_policy(PolicyName=f"checked-{i}", PolicyDocument=text))
        policies.append({"role": role, "document": document, "refused": refused})
    machines = []
    states = boto3.client("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        machines.append(states.describe_state_machine(stateMachineArn=machine["stateMachineArn"])["definition"])
    tasks = [
        ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        for arn in ecs.list_task_definitions()["taskDefinitionArns"]
    ]
    last = stacks[-1]["name"]
    cloudformation.delete_stack(StackName=last)
    left = [
        *(each["RoleName"] for each in iam.list_roles()["Roles"]),
        *(each["name"] for each in states.list_state_machines()["stateMachines"]),
        *(each["logGroupName"] for each in boto3.client("logs").describe_log_groups()["logGroups"]),
    ]
    left = [name for name in left if name.startswith(last)]
    return {
        "stacks": stacks,
        "exports": [each["Name"] for each in exports],
        "policies": policies,
        "machines": machines,
        "tasks": tasks,
        "left": left,
    }


logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
with mock_aws():
    print(json.dumps(main(json.load(sys.stdin)), default=str))
