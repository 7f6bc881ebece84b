/** Names by which Lab knows what is ours. Other extensions and users' shortcuts use them too. */

export const PLUGIN = '@nbflow/labextension:plugin';
export const FACTORY = 'Flow canvas';
export const FILE_TYPE = 'nbflow-flow';
export const EXTENSION = '.flow.json';
export const CATEGORY = 'Flow';

export const Command = {
  new: 'nbflow:new',
  open: 'nbflow:open',
  run: 'nbflow:run',
  cancel: 'nbflow:cancel',
  retry: 'nbflow:retry',
  dashboard: 'nbflow:open-dashboard',
  execution: 'nbflow:open-execution',
  workflow: 'nbflow:run-workflow',
  insert: 'nbflow:insert-node',
  panel: 'nbflow:show-panel',
  settings: 'nbflow:settings',
} as const;
