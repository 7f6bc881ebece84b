/** What an application that implements `Host` itself (the JupyterLab extension) imports. */

export { mount } from './mount';
export { DEFAULT_OPTIONS, NO_SAMPLES, UNCHECKED } from './host';
export type { Capability, Checked, Command, Credential, ErrorRecord, Host, LogLine, NodeRecord, Options, PastExecution, Pin, Problem, Questions, Samples, Value } from './host';
export { EMPTY_CATALOGUE } from './catalogue';
export type { Catalogue, NodePorts, NodeType, PortType, Word } from './catalogue';
export { EMPTY_FLOW, readFlow, writeFlow } from './document';
export type { Flow, FlowEdge, FlowNode, NodeSettings } from './document';
export { StatusStore } from './statuses';
export type { ExecutionStatus, Frame, NodeStatus, StatusWord } from './statuses';
export { Store } from './store';
export type { Readable } from './store';
export { LinkedHost } from './linked';
export type { Link } from './protocol';
