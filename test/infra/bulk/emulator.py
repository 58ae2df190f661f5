"""moto's server, with what its interpreter of state machines lacks put in.

It is LocalStack's, and came over without the catalogue of service shapes: parameters reach a service as they are
written (`Cluster`), and answers come back as they are (`tasks`, an unread body). Both translations are there, and take a
shape; here they get botocore's.

And a task that is tried again has the token of the attempt before, which nobody may answer any more: it would be told
that its time is up. A task that runs to its end (`.sync`) is not answered by a token, so none is waited for.
"""

import sys

from botocore.session import get_session
from moto.server import main
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
    StateTaskService,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
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


_eval_sync = StateTaskServiceCallback._eval_sync


def _eval_sync_alone(
    self, env, sync_resolver, timeout_seconds, callback_endpoint, heartbeat_endpoint
):
    return _eval_sync(self, env, sync_resolver, timeout_seconds, None, None)


StateTaskServiceCallback._eval_sync = _eval_sync_alone
StateTaskService._normalise_parameters = _normalise_parameters
StateTaskService._normalise_response = _normalise_response

main(sys.argv[1:])
