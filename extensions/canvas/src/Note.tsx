import { NodeResizer, type Node, type NodeProps } from '@xyflow/react';
import { memo, useEffect, useRef } from 'react';
import { useCanvas } from './context';
import type { Note } from './document';
import { changeNote } from './edits';
import { useStore } from './store';

export interface NoteData extends Record<string, unknown> {
  note: Note;
  current: boolean;
  dom: string;
}
export type NoteNode = Node<NoteData, 'note'>;

const COLOURS = ['yellow', 'blue', 'green', 'pink', 'grey'];

/** A sticky note: text for people, drawn behind the nodes. */
export const NoteCard = memo(function NoteCard({ id, data, selected }: NodeProps<NoteNode>): React.JSX.Element {
  const { editor, view, actions } = useCanvas();
  const editing = useStore(view.renaming) === id;
  const area = useRef<HTMLTextAreaElement>(null);
  const { note } = data;
  useEffect(() => {
    if (editing) area.current?.focus();
  }, [editing]);
  const change = (part: Partial<Note>, key?: string): void => void editor.edit('note', (flow) => changeNote(flow, id, part), key ? { key: `${id}.${key}` } : {});
  return (
    <div id={data.dom} role="note" aria-label={`Note: ${note.text || 'empty'}`} className={`nbf-note nbf-note-${note.colour ?? 'yellow'}${selected ? ' nbf-selected' : ''}${data.current ? ' nbf-current' : ''}`} onDoubleClick={() => view.renaming.set(id)}>
      <NodeResizer
        isVisible={selected && !actions.readonly}
        minWidth={100}
        minHeight={50}
        lineClassName="nbf-resize-line"
        handleClassName="nbf-resize"
        onResizeEnd={(_, box) => change({ box: [Math.round(box.x), Math.round(box.y), Math.round(box.width), Math.round(box.height)] })}
      />
      {editing && !actions.readonly ? (
        <textarea ref={area} className="nbf-note-text nodrag nopan nowheel" value={note.text} aria-label="Text of the note" placeholder="Write a note…" onChange={(event) => change({ text: event.target.value }, 'text')} onBlur={() => view.renaming.set(null)} />
      ) : (
        <div className="nbf-note-text">{note.text || <em>Double-click to write</em>}</div>
      )}
      {selected && !actions.readonly ? (
        <div className="nbf-tools nodrag nopan" role="group" aria-label="Colour of the note">
          {COLOURS.map((colour) => (
            <button key={colour} type="button" className={`nbf-swatch nbf-note-${colour}`} aria-label={colour} aria-pressed={(note.colour ?? 'yellow') === colour} onClick={() => change({ colour })} />
          ))}
        </div>
      ) : null}
    </div>
  );
});
