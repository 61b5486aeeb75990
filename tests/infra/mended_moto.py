"""moto's server, with one thing mended: a stack that `aws cloudformation deploy` makes (by a change set) has the
resources, conditions, outputs and exports of its template, as one that `create-stack` makes already has.

Takes moto_server's own arguments.
"""

from moto.cloudformation.models import CloudFormationBackend
from moto.server import main

plain = CloudFormationBackend.execute_change_set


def execute_change_set(self, change_set_name, stack_name=None):
    named = [c for c in self.change_sets.values() if change_set_name in (c.change_set_id, c.change_set_name)]
    if not named or named[-1].change_set_type != "CREATE":
        plain(self, change_set_name, stack_name)
        return
    change_set = named[-1]
    del self.stacks[change_set.stack_id]
    stack = self.create_stack(change_set.stack_name, change_set.template, change_set.parameters, tags=change_set.tags)
    stack.status = "CREATE_COMPLETE"
    change_set.execution_status = "EXECUTE_COMPLETE"


CloudFormationBackend.execute_change_set = execute_change_set
main()
