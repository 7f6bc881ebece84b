/** A section of the panel, drawn anew when the project changes. */

import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Project } from '../project';
import type { Command } from '../names';

export interface SectionProps {
  project: Project;
  /** One of our commands. */
  run: (command: keyof typeof Command, args?: Record<string, string>) => void;
}

export class Section extends ReactWidget {
  constructor(
    title: string,
    private readonly View: (props: SectionProps) => React.JSX.Element,
    private readonly props: SectionProps,
  ) {
    super();
    this.addClass('nbl-section');
    this.title.label = title;
    this.id = `nbflow-${title.toLowerCase()}`;
  }

  protected render(): React.JSX.Element {
    const { View, props } = this;
    return <UseSignal signal={props.project.changed}>{() => <View {...props} />}</UseSignal>;
  }
}

export function Empty({ project, nothing }: { project: Project; nothing: string }): React.JSX.Element {
  if (project.trouble !== null) {
    return (
      <p className="nbl-empty nbl-bad" role="alert">
        {project.trouble}
      </p>
    );
  }
  return (
    <p className="nbl-empty" role="status">
      {project.known ? nothing : 'Starting the project’s server…'}
    </p>
  );
}
