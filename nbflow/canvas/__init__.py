"""The canvas, seen from Python: one session a flow, whoever shows it. What both sides say to each other: extensions/canvas/src/protocol.ts."""
