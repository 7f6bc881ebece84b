/** Our icons, drawn in Lab's colours. */

import { LabIcon } from '@jupyterlab/ui-components';

const BRANCHES = '<path d="M7 12h3.5c3 0 2.5-5.5 6-5.5M10.5 12c3 0 2.5 5.5 6 5.5" fill="none" stroke="#8b93a1" stroke-width="1.8"/>';
const DOTS = '<circle cx="5" cy="12" r="3.2" fill="#e07a1f"/><circle cx="18.5" cy="6.5" r="3.2" fill="#2f6fdb"/><circle cx="18.5" cy="17.5" r="3.2" fill="#1a9c94"/>';

/** In colour: launcher, tabs, files. */
export const flowIcon = new LabIcon({
  name: 'nbflow:flow',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">${BRANCHES}${DOTS}</svg>`,
});

/** In the colour of Lab's other side bar icons. */
export const panelIcon = new LabIcon({
  name: 'nbflow:panel',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">' +
    '<path class="nbl-icon-line" d="M7 12h3.5c3 0 2.5-5.5 6-5.5M10.5 12c3 0 2.5 5.5 6 5.5" fill="none" stroke="currentColor" stroke-width="2"/>' +
    '<g class="jp-icon3 jp-icon-selectable" fill="#616161"><circle cx="5" cy="12" r="3.2"/><circle cx="18.5" cy="6.5" r="3.2"/><circle cx="18.5" cy="17.5" r="3.2"/></g></svg>',
});

export const dashboardIcon = new LabIcon({
  name: 'nbflow:dashboard',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">' +
    '<g class="jp-icon3 jp-icon-selectable" fill="#616161"><rect x="4" y="12" width="4" height="8" rx="1"/><rect x="10" y="5" width="4" height="15" rx="1"/><rect x="16" y="9" width="4" height="11" rx="1"/></g></svg>',
});
