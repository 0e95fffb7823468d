// Actions on whole subclips: take out, put back, move. Each can be undone.

import { api } from '../core/api.js';
import { attempt, toast } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { moved, predecessor, restored, sameOrder } from './order.js';

/** @typedef {import('../core/types.js').Subclip} Subclip */
/** @typedef {import('../core/types.js').Collection} Collection */

/**
 * The view whose collection the actions change.
 *
 * @typedef {object} ActionsView
 * @property {Collection | null} shown The collection that it shows; null until it is loaded.
 * @property {() => void} draw Draw `shown` again.
 * @property {() => Promise<void>} sync Bring the view up to date with the server.
 * @property {(busy: boolean) => void} showBusy
 */

const MOST_UNDO = 100;

/** Changes are shown at once, sent one after the other, and taken back where the server refuses them. */
export class ClipActions {
  /** @param {ActionsView} view */
  constructor(view) {
    this.view = view;
    /** @type {{label: string, run: () => unknown}[]} */
    this.past = []; // undone from the end by Z
    /** @type {Promise<unknown>} */
    this.queue = Promise.resolve();
    this.pending = 0; // number of requests that are not finished; until then, what the server sends is half done
  }

  get busy() {
    return this.pending > 0;
  }

  /**
   * Run requests one after the other, so that a move never overtakes the one before.
   *
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T | undefined>} undefined where the work failed; the reason has been shown.
   */
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

  /**
   * Note how to undo an action.
   *
   * @param {string} label
   * @param {() => unknown} run
   * @returns {() => void} What undoes it, once, by Z or by a button.
   */
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
    if (!done) {
      shown.subclips = before;
      await this.resync(shown);
      return;
    }
    // Noted before the page is brought up to date, which takes a moment: Z may be pressed at once.
    const back = this.remember(`${someSubclips(ids)} removed`, () => this.putBack(ids, shown.id));
    await this.resync(shown);
    toast(`${ids.length === 1 ? 'Removed' : `${ids.length} removed`} from “${shown.name}”`, {
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
    const before = idsOf(shown.subclips);
    const order = moved(before, ids, after);
    if (sameOrder(order, before)) return;
    const undo = () => this.remember(`${someSubclips(ids)} moved`, () => this.restore(shown.id, ids, before));
    await this.sendMoves(shown, ids, order, undo);
  }

  /**
   * Put each subclip back behind the one that it followed.
   *
   * @param {number} collection It need not be the one that is shown.
   * @param {number[]} ids
   * @param {number[]} before The order that they had their places in.
   */
  async restore(collection, ids, before) {
    const { shown } = this.view;
    /** @type {Collection | undefined} */
    const changed = shown?.id === collection ? shown : await attempt(() => api(`/api/collections/${collection}`));
    if (!changed) return;
    await this.sendMoves(changed, ids, restored(idsOf(changed.subclips), ids, before));
  }

  /**
   * Show a new order at once, and send the moves that lead to it.
   *
   * @param {Collection} collection
   * @param {number[]} ids Those that move.
   * @param {number[]} order
   * @param {() => void} [done] Called at once on success.
   */
  async sendMoves(collection, ids, order, done = () => {}) {
    const before = collection.subclips;
    const byId = new Map(before.map((clip) => [clip.id, clip]));
    collection.subclips = order.flatMap((id) => byId.get(id) ?? []);
    if (this.view.shown === collection) this.view.draw();
    const sent = await this.inTurn(async () => {
      for (const id of order.filter((each) => ids.includes(each)))
        await api(`/api/subclips/${id}/move`, { method: 'POST', body: { after: predecessor(order, id) } });
      return true;
    });
    if (sent) done();
    else collection.subclips = before;
    await this.resync(collection);
  }

  /**
   * Show the server's state in the end, whether the request failed or not.
   *
   * @param {Collection | null} shown
   */
  async resync(shown) {
    if (this.view.shown === shown && shown) {
      shown.revision = -1;
      this.view.draw();
    }
    await tray.refresh();
    await this.view.sync();
  }
}

/** @param {Subclip[]} clips */
function idsOf(clips) {
  return clips.map((clip) => clip.id);
}

/** @param {number[]} ids */
function someSubclips(ids) {
  return ids.length === 1 ? 'a subclip' : `${ids.length} subclips`;
}
