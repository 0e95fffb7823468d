// Collections page: collections and saved searches at the side, the subclips of one collection, trimming and exporting.

import { api } from '../core/api.js';
import { mountOnce } from '../core/component.js';
import { element, setText, useStyleSheet } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { momentsOf } from '../core/moments.js';
import { toast } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { mount as mountShell } from '../shell.js';
import { ClipActions } from './actions.js';
import { Banner } from './banner.js';
import { Edits } from './edits.js';
import { ExportPanel } from './export/panel.js';
import { columnHeads, emptyText } from './placeholders.js';
import { ClipRows } from './rows.js';
import { SideList } from './side_list.js';
import { contentText, selectionText } from './summary.js';
import { TrimEditor } from './trim/editor.js';

/** @typedef {import('../core/types.js').Collection} Collection */
/** @typedef {import('../core/types.js').Subclip} Subclip */

/**
 * @typedef {object} CollectionData
 * @property {number | null} [collection] The one to show.
 * @property {boolean} [export] Whether the panel is open.
 * @property {string} [home] A folder to suggest.
 * @property {Partial<import('./export/request.js').Choice>} [choice] What the export form begins with.
 * @property {string} [search] The tab's search, if its hits have moments.
 */
/** @typedef {import('../core/types.js').Component<CollectionData>} CollectionComponent */

const ADOPT_MILLISECONDS = 5000;
/** The view keeps itself up to date: `data` counts at the first mount only. */
export const mount = mountOnce((/** @type {CollectionComponent} */ component) => new CollectionView(component));

class CollectionView {
  /** @param {CollectionComponent} component */
  constructor({ parentElement: parent, data }) {
    // The shell's keys are added first, so that those of this page come before them.
    this.removeShell = mountShell({ parentElement: parent, dock: false });
    void useStyleSheet('collections/view.css');
    /** @type {number | null} */
    this.id = data.collection ?? null;
    this.moments = momentsOf(data.search);
    /** @type {number | null} */
    this.asked = this.id; // the collection in the address, until it has been found
    /** @type {Collection | null} */
    this.shown = null;
    this.ticket = 0;
    this.removed = false;
    /** @type {TrimEditor | null} */
    this.openTrim = null;
    this.edits = new Edits();
    this.actions = new ClipActions(this);
    this.rows = new ClipRows(this.edits, {
      trim: (id) => this.trim(id),
      takeOut: (ids) => this.actions.takeOut(ids),
      move: (ids, after) => this.actions.move(ids, after),
      undo: () => this.actions.undo(),
      selected: () => this.drawSelection(),
      escaped: (entry) => this.offerUndo(entry),
    });
    this.side = new SideList({ open: (id) => this.open(id), changed: () => this.sync() });
    this.banner = new Banner(this.edits, (edit) => this.actions.putBack([edit.clip], edit.collection));
    this.panel = new ExportPanel({ data, onToggle: (open) => this.drawPanelButton(open) });

    this.title = element('h2', { class: 'ps-coll-title', id: 'ps-coll-title' });
    this.meta = element('div', { class: 'ps-coll-meta ps-muted' });
    this.exportButton = element(
      'button',
      {
        class: 'ps-button ps-primary ps-needs-collect',
        type: 'button',
        'aria-expanded': 'false',
        title: 'Export (E)',
        onclick: () => this.panel.toggle(),
      },
      element('span', { text: 'Export' }),
      element('kbd', { text: 'E' }),
    );
    const running = element('button', {
      class: 'ps-button ps-coll-running',
      type: 'button',
      hidden: true,
      onclick: () => this.panel.toggle(true),
    });
    this.panel.onRunning = (text) => {
      running.hidden = !text;
      setText(running, text ?? '');
    };
    this.chosenText = element('span', { class: 'ps-chosen-text' });
    this.bar = this.selectionBar();
    this.heads = columnHeads();
    this.empty = emptyText();
    this.root = element(
      'div',
      { class: 'ps-collections' },
      this.side.element,
      element(
        'section',
        { class: 'ps-coll-main', 'aria-labelledby': 'ps-coll-title' },
        element(
          'header',
          { class: 'ps-coll-head' },
          element('div', { class: 'ps-grow' }, this.title, this.meta),
          running,
          this.exportButton,
        ),
        this.banner.element,
        this.panel.element,
        this.bar,
        this.heads,
        this.rows.list,
        this.empty,
      ),
    );
    parent.append(this.root);

    this.removeKeys = addKeys('Collection', this.keys());
    this.onSync = () => void this.sync();
    this.onTrouble = () => this.drawBanner();
    tray.addEventListener('change', this.onSync);
    tray.addEventListener('trouble', this.onTrouble);
    this.edits.addEventListener('change', () => {
      this.rows.drawEdits();
      this.drawBanner();
    });
    this.edits.addEventListener('saved', (event) => this.saved(/** @type {CustomEvent<Subclip>} */ (event).detail));
    this.unwatch = tray.watch();
    this.timer = setInterval(() => this.tick(), ADOPT_MILLISECONDS);
    this.onVisible = () => {
      void (document.visibilityState === 'hidden' ? this.edits.sendAll() : this.side.refreshSearches());
    };
    document.addEventListener('visibilitychange', this.onVisible);
    if (data.export) this.panel.toggle(true);
    void this.edits.adopt();
    void this.sync();
  }

  selectionBar() {
    /** @type {(text: string, title: string, run: () => unknown) => HTMLElement} */
    const act = (text, title, run) =>
      element('button', { class: 'ps-button', type: 'button', text, title, onclick: run });
    return element(
      'div',
      { class: 'ps-chosen-bar', role: 'toolbar', 'aria-label': 'Selection', hidden: true },
      this.chosenText,
      act('Trim', 'Trim (Enter)', () => this.trim(this.rows.targets()[0])),
      act('Move up', 'Move up (Alt+↑)', () => this.rows.shift(-1)),
      act('Move down', 'Move down (Alt+↓)', () => this.rows.shift(1)),
      act('Remove', 'Remove (Delete)', () => this.actions.takeOut(this.rows.targets())),
      act('Export selection', 'Export selection', () => this.panel.toggle(true, 'selection')),
      act('Clear selection', 'Clear selection (Esc)', () => this.rows.chooseNone()),
    );
  }

  /** @returns {import('../core/keys.js').Key[]} */
  keys() {
    /** @type {(run: (id: number) => unknown) => (event: KeyboardEvent) => boolean} */
    const current = (run) => (event) => {
      const { current: id } = this.rows.selection;
      if (id === null || onControl(event) || !this.rows.list.contains(document.activeElement)) return false;
      run(id);
      return true;
    };
    /** @type {(run: (ids: number[]) => unknown) => () => boolean} */
    const chosen = (run) => () => {
      const ids = this.rows.targets();
      if (!ids.length) return false;
      run(ids);
      return true;
    };
    return [
      { key: 'Shift+ArrowUp', label: 'Extend selection up', run: (event) => this.rows.step(event, -1, true) },
      { key: 'Shift+ArrowDown', label: 'Extend selection down', run: (event) => this.rows.step(event, 1, true) },
      { key: 'ArrowUp', label: 'Previous subclip', run: (event) => this.rows.step(event, -1, false) },
      { key: 'ArrowDown', label: 'Next subclip', run: (event) => this.rows.step(event, 1, false) },
      { key: 'Home', label: 'First subclip', run: (event) => this.rows.step(event, -Infinity, false) },
      { key: 'End', label: 'Last subclip', run: (event) => this.rows.step(event, Infinity, false) },
      // Keys with a modifier are handled by the rows; these entries only list them in the overlay.
      { key: 'Ctrl+A', label: 'Select all', run: () => false },
      { key: 'Alt+↑ Alt+↓', label: 'Move selection', run: () => false },
      { key: 'Enter', label: 'Trim', run: current((id) => this.trim(id)) },
      { key: ' ', label: 'Preview', run: current(() => this.rows.previewCurrent()) },
      { key: 'F2 r R', label: 'Edit name', run: current((id) => this.rows.edit(id, 'name')) },
      { key: 'n N', label: 'Edit note', run: current((id) => this.rows.edit(id, 'note')) },
      { key: 'Delete Backspace', label: 'Remove', run: chosen((ids) => this.actions.takeOut(ids)) },
      { key: 'z Z', label: 'Undo', run: () => this.actions.undo() },
      { key: 'e E', label: 'Export', run: () => this.panel.toggle() },
      {
        key: 'Escape',
        label: 'Clear selection, or close the export panel',
        run: () => this.rows.chooseNone() || this.panel.escape(),
      },
    ];
  }

  // The collection that is shown

  /** @param {number} id */
  async open(id) {
    void this.edits.sendAll();
    this.id = id;
    this.asked = null;
    this.shown = null;
    this.rows.forget();
    await tray.choose(id);
    await this.sync();
  }

  /** Bring the page up to date with the server, at every change of this tab or another. */
  async sync() {
    const { collections } = tray;
    if (!collections.length || this.removed || this.actions.busy) return;
    this.ticket += 1;
    const { ticket } = this;
    let listed = collections.find((each) => each.id === this.id);
    if (!listed) {
      if (this.asked !== null)
        toast('There is no such collection; it may have been deleted. This is the current one.', { kind: 'error' });
      this.asked = null;
      listed = collections.find((each) => each.id === tray.current?.id) ?? collections[0];
      this.id = listed.id;
      this.rows.forget();
    } else if (this.asked !== null) {
      this.asked = null;
      if (tray.current?.id !== listed.id) void tray.choose(listed.id);
    }
    this.side.draw(listed.id);
    this.drawBanner();
    if (this.shown?.id === listed.id && this.shown.revision === listed.revision && this.shown.name === listed.name)
      return;
    /** @type {Collection | null} */
    let shown = tray.current;
    if (shown?.id !== listed.id || shown.revision !== listed.revision) {
      shown = await api(`/api/collections/${listed.id}`).catch(() => null);
      if (!shown || ticket !== this.ticket || this.removed || this.actions.busy) return;
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

  /**
   * Show a subclip that was saved at once, without waiting for the next poll.
   *
   * @param {Subclip} clip
   */
  saved(clip) {
    const at = this.shown?.subclips.findIndex((each) => each.id === clip.id) ?? -1;
    if (!this.shown || at < 0) return;
    this.shown.subclips[at] = clip;
    this.draw();
    this.openTrim?.update(this.shown.subclips);
  }

  // Drawing

  draw() {
    if (!this.shown) return;
    const { name, revision, subclips } = this.shown;
    setText(this.title, name);
    setText(this.meta, contentText(subclips));
    this.rows.update(subclips);
    this.heads.hidden = !subclips.length;
    this.empty.hidden = subclips.length > 0;
    this.exportButton.disabled = !subclips.length;
    this.root.dataset.revision = String(revision);
    this.drawSelection();
    this.panel.update(this.shown);
  }

  drawSelection() {
    const { chosen } = this.rows.selection;
    const clips = this.shown?.subclips.filter((clip) => chosen.has(clip.id)) ?? [];
    this.bar.hidden = clips.length < 2;
    if (clips.length) setText(this.chosenText, selectionText(clips));
    this.panel.selected(clips);
  }

  drawBanner() {
    this.banner.draw(tray.failed, this.shown?.id ?? null);
  }

  /** @param {boolean} busy */
  showBusy(busy) {
    this.rows.list.setAttribute('aria-busy', String(busy));
  }

  /** @param {boolean} open */
  drawPanelButton(open) {
    this.exportButton.setAttribute('aria-expanded', String(open));
  }

  /**
   * Offer to write again what Escape has dropped.
   *
   * @param {import('./edits.js').Edit} entry
   */
  offerUndo(entry) {
    toast('Change discarded', {
      action: {
        label: 'Undo',
        run: () => {
          const clip = this.rows.clipOf(entry.clip);
          if (!clip) return;
          this.edits.put({ ...clip, label: entry.label }, entry.field, entry.value);
          void this.edits.send(clip.id);
        },
      },
    });
  }

  tick() {
    if (tray.failed) void this.lookAgain();
    this.drawBanner();
    if (!this.shown || this.shown.revision === -1) void this.sync(); // a request failed: the state on the server is not known yet
    if (document.visibilityState === 'visible') void this.edits.adopt();
  }

  /** Look whether the server answers again: the tray reports only that trouble began. */
  async lookAgain() {
    const there = await api('/api/collections').catch(() => null);
    if (!there || this.removed) return;
    tray.failed = null;
    this.drawBanner();
    void this.edits.sendAll();
  }

  /** @param {number} id */
  trim(id) {
    const at = this.shown?.subclips.findIndex((clip) => clip.id === id) ?? -1;
    if (!this.shown || at < 0 || this.openTrim) return;
    this.rows.hover(null);
    this.openTrim = new TrimEditor(this.shown.subclips, at, {
      collection: this.shown.id,
      edits: this.edits,
      moments: this.moments,
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
    void this.edits.sendAll().finally(() => this.edits.close());
    this.removeKeys();
    this.unwatch();
    tray.removeEventListener('change', this.onSync);
    tray.removeEventListener('trouble', this.onTrouble);
    document.removeEventListener('visibilitychange', this.onVisible);
    this.rows.remove();
    this.panel.remove();
    this.root.remove();
    this.removeShell();
  }
}
