// Collections page: collections and saved searches at the side, the subclips of one collection, trimming and exporting.

import { api } from '../core/api.js';
import { element, setText, useStyleSheet } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { clock } from '../core/timecode.js';
import { toast } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { mount as mountShell } from '../shell.js';
import { ClipActions } from './actions.js';
import { editState } from './edit_state.js';
import { Edits } from './edits.js';
import { ExportPanel } from './export/panel.js';
import { ClipRows } from './rows.js';
import { SideList } from './side_list.js';
import { totalLength } from './times.js';
import { TrimEditor } from './trim/editor.js';

const ADOPT_MILLISECONDS = 5000;
const views = new WeakMap();

/**
 * Mount the view. It keeps itself up to date, so that `data` counts at the first mount only.
 *
 * @param {import('../core/types.js').Component<{collection: number | null, export: boolean, home: string}>} component
 *   `collection`: the one to show; `export`: whether the panel is open; `home`: a folder to suggest.
 * @returns {() => void} Removes the view.
 */
export function mount(component) {
  let view = views.get(component.parentElement);
  if (!view) {
    view = new CollectionView(component.parentElement, component.data ?? {});
    views.set(component.parentElement, view);
  }
  return () => {
    view.remove();
    views.delete(component.parentElement);
  };
}

class CollectionView {
  constructor(parent, data) {
    // The shell's keys are added first, so that those of this page come before them.
    this.removeShell = mountShell({ parentElement: parent, data: { dock: false, search: false } });
    useStyleSheet('collections/view.css');
    this.id = data.collection ?? null;
    this.asked = this.id;
    /** @type {import('../core/types.js').Collection | null} */
    this.shown = null;
    this.ticket = 0;
    this.edits = new Edits();
    this.rows = new ClipRows(this.edits, {
      trim: (id) => this.trim(id),
      takeOut: (ids) => this.actions.takeOut(ids),
      move: (ids, after) => this.actions.move(ids, after),
      undo: () => this.actions.undo(),
      selected: () => this.drawSelection(),
      escaped: (entry) => this.offerUndo(entry),
    });
    this.actions = new ClipActions(this);
    this.side = new SideList({ open: (id) => this.open(id), changed: () => this.sync() });
    this.panel = new ExportPanel({ data, onToggle: (open) => this.drawPanelButton(open) });
    this.build(parent);
    this.removeKeys = addKeys('Collection', this.keys());
    this.onSync = () => this.sync();
    this.onTrouble = () => this.drawBanner();
    tray.addEventListener('change', this.onSync);
    tray.addEventListener('trouble', this.onTrouble);
    this.edits.addEventListener('change', () => {
      this.rows.drawEdits();
      this.drawBanner();
    });
    this.edits.addEventListener('saved', (event) => this.saved(event.detail));
    this.unwatch = tray.watch();
    this.timer = setInterval(() => this.tick(), ADOPT_MILLISECONDS);
    this.onVisible = () => (document.visibilityState === 'hidden' ? this.edits.sendAll() : this.side.refreshSearches());
    document.addEventListener('visibilitychange', this.onVisible);
    if (data.export) this.panel.toggle(true);
    this.edits.adopt();
    this.sync();
  }

  build(parent) {
    this.title = element('h2', { class: 'ps-coll-title' });
    this.meta = element('div', { class: 'ps-coll-meta ps-muted' });
    this.exportButton = element(
      'button',
      {
        class: 'ps-button ps-primary',
        type: 'button',
        'aria-expanded': 'false',
        title: 'Export (E)',
        onclick: () => this.panel.toggle(),
      },
      element('span', { text: 'Export' }),
      element('kbd', { text: 'E' }),
    );
    this.running = element('button', {
      class: 'ps-button ps-coll-running',
      type: 'button',
      hidden: true,
      onclick: () => this.panel.toggle(true),
    });
    this.panel.onRunning = (text) => {
      this.running.hidden = !text;
      setText(this.running, text ?? '');
    };
    const act = (text, label, run) =>
      element('button', { class: 'ps-button', type: 'button', text, title: label, onclick: run });
    this.chosenText = element('span', { class: 'ps-chosen-text' });
    this.bar = element(
      'div',
      { class: 'ps-chosen-bar', role: 'toolbar', 'aria-label': 'What is selected', hidden: true },
      this.chosenText,
      act('Trim', 'Trim (Enter)', () => this.trim(this.rows.targets()[0])),
      act('Move up', 'Move up (Alt+↑)', () => this.rows.shift(-1)),
      act('Move down', 'Move down (Alt+↓)', () => this.rows.shift(1)),
      act('Take out', 'Take out (Delete)', () => this.actions.takeOut(this.rows.targets())),
      act('Export these', 'Export what is selected', () => this.panel.toggle(true, 'selection')),
      act('Select none', 'Select none (Esc)', () => this.rows.chooseNone()),
    );
    this.banner = element('div', { class: 'ps-banners' });
    this.heads = element(
      'div',
      { class: 'ps-clip ps-clip-heads', 'aria-hidden': 'true' },
      ...['', '', 'Name, file, note', 'In', 'Out', 'Length', ''].map((text) => element('div', { text })),
    );
    this.empty = element(
      'div',
      { class: 'ps-coll-empty', hidden: true },
      element('p', { text: 'Nothing in this collection yet.' }),
      element(
        'p',
        { class: 'ps-muted' },
        'On the Search page, press ',
        element('kbd', { text: 'S' }),
        ' on a shot, or + on its poster. In the player, ',
        element('kbd', { text: 'I' }),
        ' and ',
        element('kbd', { text: 'O' }),
        ' mark a part of it first.',
      ),
      element('a', { class: 'ps-button', href: '/', target: '_self', text: 'Search for shots' }),
    );
    this.root = element(
      'div',
      { class: 'ps-collections' },
      this.side.element,
      element(
        'main',
        { class: 'ps-coll-main' },
        element(
          'header',
          { class: 'ps-coll-head' },
          element('div', { class: 'ps-grow' }, this.title, this.meta),
          this.running,
          this.exportButton,
        ),
        this.banner,
        this.panel.element,
        this.bar,
        this.heads,
        this.rows.list,
        this.empty,
      ),
    );
    parent.append(this.root);
  }

  keys() {
    const current = (run) => (event) => {
      if (onControl(event) || !this.rows.list.contains(document.activeElement)) return false;
      run(this.rows.current);
      return true;
    };
    const chosen = (run) => () => {
      const ids = this.rows.targets();
      if (!ids.length) return false;
      run(ids);
      return true;
    };
    return [
      { key: 'Shift+ArrowUp', label: 'Select upwards', run: (event) => this.rows.step(event, -1, true) },
      { key: 'Shift+ArrowDown', label: 'Select downwards', run: (event) => this.rows.step(event, 1, true) },
      { key: 'ArrowUp', label: 'Subclip above', run: (event) => this.rows.step(event, -1, false) },
      { key: 'ArrowDown', label: 'Subclip below', run: (event) => this.rows.step(event, 1, false) },
      { key: 'Home', label: 'First subclip', run: (event) => this.rows.step(event, -Infinity, false) },
      { key: 'End', label: 'Last subclip', run: (event) => this.rows.step(event, Infinity, false) },
      // Keys with a modifier are handled by the rows; these entries only list them in the overlay.
      { key: 'Ctrl+A', label: 'Select all', run: () => false },
      { key: 'Alt+↑ Alt+↓', label: 'Move what is selected', run: () => false },
      { key: 'Enter', label: 'Trim', run: current((id) => this.trim(id)) },
      { key: ' ', label: 'Preview', run: current(() => this.rows.previewCurrent()) },
      { key: 'F2 r R', label: 'Write the name', run: current((id) => this.rows.edit(id, 'name')) },
      { key: 'n N', label: 'Write the note', run: current((id) => this.rows.edit(id, 'note')) },
      { key: 'Delete Backspace', label: 'Take out', run: chosen((ids) => this.actions.takeOut(ids)) },
      { key: 'z Z', label: 'Undo', run: () => this.actions.undo() },
      { key: 'e E', label: 'Export', run: () => this.panel.toggle() },
      {
        key: 'Escape',
        label: 'Select none; close the export panel',
        run: () => this.rows.chooseNone() || this.panel.escape(),
      },
    ];
  }

  // The collection that is shown

  async open(id) {
    this.edits.sendAll();
    this.id = id;
    this.asked = null;
    this.shown = null;
    this.rows.chosen.clear();
    await tray.choose(id);
    this.sync();
  }

  /** Bring the page up to date with the server, at every change of this tab or another. */
  async sync() {
    const { collections } = tray;
    if (!collections.length || this.removed || this.actions.busy) return;
    const ticket = (this.ticket += 1);
    let listed = collections.find((each) => each.id === this.id);
    if (!listed) {
      if (this.asked !== null)
        toast('There is no such collection; it may have been deleted. This is your tray.', { kind: 'error' });
      this.asked = null;
      listed = collections.find((each) => each.id === tray.current?.id) ?? collections[0];
      this.id = listed.id;
      this.rows.chosen.clear();
    } else if (this.asked !== null) {
      this.asked = null;
      if (tray.current?.id !== this.id) tray.choose(this.id);
    }
    this.side.draw(this.id);
    this.drawBanner();
    if (this.shown?.id === listed.id && this.shown.revision === listed.revision && this.shown.name === listed.name)
      return;
    let shown = tray.current;
    if (shown?.id !== listed.id || shown.revision !== listed.revision) {
      shown = await api(`/api/collections/${listed.id}`).catch(() => null);
      if (!shown || ticket !== this.ticket || this.removed) return;
    }
    const other = this.shown?.id !== shown.id;
    this.shown = { ...shown, subclips: [...shown.subclips] };
    this.edits.learnAll(shown.id, shown.subclips);
    if (other) this.toAddress();
    this.draw();
    this.openTrim?.update(this.shown.subclips);
  }

  /** Put the collection into the address, so that it can be kept or sent; Streamlit reads it at its next run. */
  toAddress() {
    const address = new URL(location.href);
    address.searchParams.set('collection', String(this.id));
    address.searchParams.delete('export');
    history.replaceState(history.state, '', address);
  }

  /** Show a subclip that was saved at once, without waiting for the next poll. */
  saved(clip) {
    const at = this.shown?.subclips.findIndex((each) => each.id === clip.id) ?? -1;
    if (at < 0) return;
    this.shown.subclips[at] = clip;
    this.draw();
    this.openTrim?.update(this.shown.subclips);
  }

  // Drawing

  draw() {
    const { name, subclips } = this.shown;
    setText(this.title, name);
    const missing = subclips.filter((clip) => clip.missing).length;
    const sum = totalLength(subclips);
    setText(
      this.meta,
      subclips.length
        ? [
            `${subclips.length} ${subclips.length === 1 ? 'subclip' : 'subclips'}`,
            sum.code
              ? `${sum.code} (${sum.frames.toLocaleString('en')} frames)`
              : `${clock(sum.seconds)}, several frame rates`,
            missing ? `${missing} whose file is not there now` : '',
          ]
            .filter(Boolean)
            .join(' · ')
        : 'empty',
    );
    this.rows.collection = this.shown.id;
    this.rows.update(subclips);
    this.heads.hidden = !subclips.length;
    this.empty.hidden = subclips.length > 0;
    this.exportButton.disabled = !subclips.length;
    this.root.dataset.revision = String(this.shown.revision);
    this.drawSelection();
    this.panel.update(this.shown);
  }

  drawSelection() {
    const ids = this.shown?.subclips.filter((clip) => this.rows.chosen.has(clip.id)) ?? [];
    this.bar.hidden = ids.length < 2;
    if (ids.length) {
      const sum = totalLength(ids);
      setText(this.chosenText, `${ids.length} selected · ${sum.code ?? clock(sum.seconds)}`);
    }
    this.panel.selected(ids);
  }

  showBusy(busy) {
    this.rows.list.setAttribute('aria-busy', String(busy));
  }

  drawPanelButton(open) {
    this.exportButton.setAttribute('aria-expanded', String(open));
  }

  drawBanner() {
    const lines = [];
    const report = (kind, text, ...more) =>
      lines.push([
        kind + text,
        () =>
          element(
            'div',
            { class: `ps-banner ps-banner-${kind}`, role: 'status' },
            element('span', { class: 'ps-grow', text }),
            ...more,
          ),
      ]);
    if (tray.failed) {
      const kept = this.edits.all.length
        ? ' What you typed is kept in this browser and will be saved when it answers again.'
        : '';
      report('trouble', `${sentence(tray.failed)}${kept}`);
    }
    if (!this.edits.stored)
      report(
        'trouble',
        'This browser keeps nothing for this page (its store is full or switched off): text that is not saved yet would be lost with the page.',
      );
    for (const entry of this.edits.all) {
      if (entry.state === 'gone') this.reportGone(report, entry);
      else if (entry.collection !== this.shown?.id && ['conflict', 'refused'].includes(entry.state)) {
        report('trouble', `In “${entry.label}”, of another collection:`, editState(entry, this.edits));
      }
    }
    const token = lines.map(([text]) => text).join('\n');
    if (token === this.bannerToken) return;
    this.bannerToken = token;
    this.banner.replaceChildren(...lines.map(([, make]) => make()));
  }

  /** Report an edit of a subclip that another tab took out meanwhile. */
  reportGone(report, entry) {
    const what = { name: 'The name', note: 'The note', range: 'The in and out' }[entry.field];
    const link = (text, run) => element('button', { class: 'ps-link', type: 'button', text, onclick: run });
    report(
      'trouble',
      `“${entry.label}” was taken out meanwhile. ${what} ${entry.field === 'range' ? 'you set' : `you typed, “${entry.value}”,`} is not saved.`,
      link('Put it back', () => this.actions.putBack([entry.clip], entry.collection)),
      entry.field === 'range'
        ? null
        : link('Copy the text', () => navigator.clipboard?.writeText(entry.value).then(() => toast('Copied'))),
      link('Drop it', () => this.edits.drop(entry.clip, entry.field)),
    );
  }

  offerUndo(entry) {
    toast('The change was dropped', {
      action: {
        label: 'Undo',
        run: () => {
          const clip = this.shown.subclips.find((each) => each.id === entry.clip);
          if (!clip) return;
          this.edits.put({ ...clip, collection: this.shown.id, label: entry.label }, entry.field, entry.value);
          this.edits.send(clip.id);
        },
      },
    });
  }

  tick() {
    if (tray.failed) this.lookAgain();
    this.drawBanner();
    if (!this.shown || this.shown.revision === -1) this.sync(); // a request failed: the state on the server is not known yet
    if (document.visibilityState === 'visible') this.edits.adopt();
  }

  /** Look whether the server answers again: the tray reports only that trouble began. */
  async lookAgain() {
    const there = await api('/api/collections').catch(() => null);
    if (!there || this.removed) return;
    tray.failed = null;
    this.drawBanner();
    this.edits.sendAll();
  }

  trim(id) {
    const at = this.shown?.subclips.findIndex((clip) => clip.id === id) ?? -1;
    if (at < 0 || this.openTrim) return;
    this.rows.hover(null);
    this.openTrim = new TrimEditor(this.shown.subclips, at, {
      collection: this.shown.id,
      edits: this.edits,
      onClose: (last) => {
        this.openTrim = null;
        if (this.rows.rows.has(last)) {
          this.rows.choose(last);
          this.rows.focus(last);
        }
      },
    });
  }

  remove() {
    this.removed = true;
    clearInterval(this.timer);
    this.openTrim?.dialog.close();
    this.edits.sendAll().finally(() => this.edits.close());
    this.removeKeys();
    this.unwatch();
    tray.removeEventListener('change', this.onSync);
    tray.removeEventListener('trouble', this.onTrouble);
    document.removeEventListener('visibilitychange', this.onVisible);
    this.rows.remove();
    this.panel.remove();
    this.root.remove();
    this.removeShell?.();
  }
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? '' : '.');
}
