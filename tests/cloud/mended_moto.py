"""moto's server, with its change sets mended: a stack that `aws cloudformation deploy` makes or changes (by a change set) has
the resources, conditions, outputs and exports of its template, as one of `create-stack` and `update-stack` already has.

Takes moto_server's own arguments.
"""

from moto.cloudformation.models import CloudFormationBackend
from moto.server import main


def execute_change_set(self, change_set_name, stack_name=None):
    named = [c for c in self.change_sets.values() if change_set_name in (c.change_set_id, c.change_set_name)]
    change_set = named[-1]
    if change_set.change_set_type == "CREATE":
        del self.stacks[change_set.stack_id]
        stack = self.create_stack(
            change_set.stack_name, change_set.template, change_set.parameters, tags=change_set.tags
        )
    else:
        stack = self.stacks[change_set.stack_id]
        resources = stack.resource_map._parsed_resources
        before = dict(resources)
        stack.update(change_set.template, None, parameters=change_set.parameters, tags=change_set.tags)
        # What moto cannot change (a log group) it forgets, and then would not delete with its stack.
        resources.update({name: kept for name, kept in before.items() if resources.get(name) is None})
        # What a condition has left out so far is made once that holds: asking for it makes it.
        for name in stack.resource_map._resource_json_map:
            if resources.get(name) is None:
                resources.pop(name, None)
                stack.resource_map[name]
    stack.status = f"{change_set.change_set_type}_COMPLETE"
    change_set.execution_status = "EXECUTE_COMPLETE"


CloudFormationBackend.execute_change_set = execute_change_set
main()
