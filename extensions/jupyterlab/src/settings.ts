/** What people set. The defaults hold until Lab has read them, and where it has no settings. */

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal, type ISignal } from '@lumino/signaling';
import { PLUGIN } from './names';

export class Settings {
  saveBeforeRun = false;
  refreshSeconds = 2;
  dashboard: 'lab' | 'browser' = 'lab';
  private readonly changes = new Signal<this, void>(this);

  get changed(): ISignal<this, void> {
    return this.changes;
  }

  async follow(registry: ISettingRegistry): Promise<void> {
    const settings = await registry.load(PLUGIN);
    const take = (): void => {
      Object.assign(this, settings.composite);
      this.changes.emit();
    };
    settings.changed.connect(take);
    take();
  }
}
