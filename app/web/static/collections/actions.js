// Actions on whole subclips: take out, put back, move. Each can be undone.

import { api } from '../core/api.js';
import { attempt, toast } from '../core/toast.js';
import { tray } from '../core/tray.js';

const MOST_UNDO = 100;

/** Changes are shown at once, sent one after the other, and taken back where the server refuses them. */
export class ClipActions {
  /** @param {any} view The CollectionView: `shown` (the collection), `draw()`, `sync()` and `showBusy(busy)`. */
  constructor(view) {
    this.view = view;
    /** @type {{label: string, run: () => void}[]} */
    this.past = []; // undone from the end by Z
    this.queue = Promise.resolve();
    this.pending = 0; // number of requests that are not finished; until then, what the server sends is half done
  }

  get busy() {
    return this.pending > 0;
  }

  /** Run requests one after the other, so that a move never overtakes the one before. */
  inTurn(work) {
    this.pending += 1;
    this.view.showBusy(true);
    const done = this.queue
      .then(() => attempt(work))
      .finally(() => {
        this.pending -= 1;
        this.view.showBusy(this.busy);
      });
    this.queue = done.catch(() => {});
    return done;
  }

  /** Note how to undo an action. Returns what undoes it, once, by Z or by a button. */
  remember(label, run) {
    const entry = { label, run };
    this.past.push(entry);
    if (this.past.length > MOST_UNDO) this.past.shift();
    return () => {
      if (!this.past.includes(entry)) return; // undone already, by the key
      this.past.splice(this.past.indexOf(entry), 1);
      run();
    };
  }

  /** Undo the latest action. */
  undo() {
    const entry = this.past.pop();
    if (!entry) {
      toast('Nothing to undo', { seconds: 1.5 });
      return;
    }
    entry.run();
    toast(`Undone: ${entry.label}`, { seconds: 2 });
  }

  /**
   * Take subclips out of the collection, with an undo.
   *
   * @param {number[]} ids
   */
  async takeOut(ids) {
    const { shown } = this.view;
    if (!shown || !ids.length) return;
    const before = shown.subclips;
    shown.subclips = before.filter((clip) => !ids.includes(clip.id));
    this.view.draw();
    const done = await this.inTurn(async () => {
      await api(`/api/collections/${shown.id}/subclips`, { method: 'DELETE', body: { ids } });
      return true;
    });
    const label = `${ids.length === 1 ? 'a subclip' : `${ids.length} subclips`} taken out`;
    // Noted before the page is brought up to date, which takes a moment: Z may be pressed at once.
    const back = done && this.remember(label, () => this.putBack(ids, shown.id));
    if (!done) shown.subclips = before;
    await this.resync(shown);
    if (!done) return;
    toast(`${ids.length === 1 ? 'Taken' : `${ids.length} taken`} out of “${shown.name}”`, {
      seconds: 10,
      action: { label: 'Undo', run: back },
    });
  }

  /**
   * Put subclips back that were taken out.
   *
   * @param {number[]} ids
   * @param {number} collection
   */
  async putBack(ids, collection) {
    await this.inTurn(() => api(`/api/collections/${collection}/put-back`, { method: 'POST', body: { ids } }));
    await this.resync(this.view.shown);
  }

  /**
   * Move subclips, which keep their own order.
   *
   * @param {number[]} ids
   * @param {number | null} after Id of the subclip that comes before them; null for the first place.
   */
  async move(ids, after) {
    const { shown } = this.view;
    if (!shown || !ids.length) return;
    const clips = shown.subclips;
    const before = clips.map((clip) => clip.id);
    if (!this.reorder(shown, ids, after)) return;
    const order = shown.subclips.map((clip) => clip.id);
    const label = `${ids.length === 1 ? 'a subclip' : `${ids.length} subclips`} moved`;
    await this.sendMoves(shown, ids, order, clips, () => this.remember(label, () => this.restore(ids, before)));
  }

  /** Put each subclip back behind the one that it followed in `before` (ids). */
  async restore(ids, before) {
    const { shown } = this.view;
    const clips = shown.subclips;
    const there = new Set(clips.map((clip) => clip.id));
    const moved = before.filter((id) => ids.includes(id) && there.has(id));
    for (const id of moved) {
      const earlier = before.slice(0, before.indexOf(id)).filter((each) => there.has(each));
      this.reorder(shown, [id], earlier.at(-1) ?? null);
    }
    await this.sendMoves(
      shown,
      moved,
      before.filter((id) => there.has(id)),
      clips,
    );
  }

  /** Show a new order at once. Returns whether it differs. */
  reorder(shown, ids, after) {
    const moving = shown.subclips.filter((clip) => ids.includes(clip.id));
    const rest = shown.subclips.filter((clip) => !ids.includes(clip.id));
    const at = after === null ? 0 : rest.findIndex((clip) => clip.id === after) + 1;
    const order = [...rest.slice(0, at), ...moving, ...rest.slice(at)];
    if (order.every((clip, place) => clip.id === shown.subclips[place].id)) return false;
    shown.subclips = order;
    this.view.draw();
    return true;
  }

  /** Send moves. `before` holds the subclips as they were, shown again on failure; `done` is called at once on success. */
  async sendMoves(shown, ids, order, before, done = () => {}) {
    const moved = await this.inTurn(async () => {
      for (const id of ids) {
        const at = order.indexOf(id);
        await api(`/api/subclips/${id}/move`, { method: 'POST', body: { after: at > 0 ? order[at - 1] : null } });
      }
      return true;
    });
    if (moved) done();
    else shown.subclips = before;
    await this.resync(shown);
  }

  /** Show the server's state in the end, whether the request failed or not. */
  async resync(shown) {
    if (this.view.shown === shown && shown) {
      shown.revision = -1;
      this.view.draw();
    }
    await tray.refresh();
    await this.view.sync();
  }
}
