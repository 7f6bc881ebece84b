/** canvas.js: the canvas and its adapters, loaded once a page by widget.js and panel.js. */

export { mount } from './mount';
export { widgetHost } from './widget';
export { panelHost } from './panel';
