"""moto's server, with what its interpreter of state machines lacks put in.

It is LocalStack's, and came over without the catalogue of service shapes: parameters reach a service as they are
written (`Cluster`), and answers come back as they are (`tasks`, an unread body). Both translations are there, and take a
shape; here they get botocore's. Nothing else is changed.
"""

import sys

from botocore.session import get_session
from moto.server import main
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)

_session = get_session()


def _operation(self, service, action):
    model = _session.get_service_model(self._get_boto_service_name(service))
    wanted = self._get_boto_service_action(action).replace("_", "").lower()
    name = next(each for each in model.operation_names if each.lower() == wanted)
    return model.operation_model(name)


def _normalise_parameters(self, parameters, boto_service_name=None, service_action_name=None):
    shape = _operation(self, boto_service_name, service_action_name).input_shape
    if shape is not None:
        self._to_boto_request(parameters, shape)


def _normalise_response(self, response, boto_service_name=None, service_action_name=None):
    shape = _operation(self, boto_service_name, service_action_name).output_shape
    if shape is not None:
        self._from_boto_response(response, shape)


StateTaskService._normalise_parameters = _normalise_parameters
StateTaskService._normalise_response = _normalise_response

main(sys.argv[1:])
