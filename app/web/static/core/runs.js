// Long jobs of the library, as the server's journals have them. One instance a page: whatever shows or awaits jobs shares its requests,
// which are made each second while a job runs and the page is visible, and otherwise only at the moments of `lookAgain`.

import { api } from './api.js';
import { lookAgain, tellTabs } from './look_again.js';

const POLL_MILLISECONDS = 1000;

/**
 * What the list needs of a job; `/api/runs` says more of each.
 *
 * @typedef {{id: string, outcome: string | null}} Run
 */

/** Event: 'change', after each answer of the server. */
export class Runs extends EventTarget {
  constructor() {
    super();
    /** @type {(Run & Record<string, unknown>)[]} */
    this.all = []; // the latest first
    this.known = false; // whether the server has answered
    this.watchers = 0;
    this.asked = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {(() => void) | undefined} */
    this.stopLooking = undefined;
  }

  /** Return whether any job ran when the server last answered. */
  get busy() {
    return this.all.some((run) => !run.outcome);
  }

  /**
   * Keep the list up to date while any view watches it.
   *
   * @param {() => void} changed Called after each answer.
   * @returns {() => void} Stops watching.
   */
  watch(changed) {
    this.addEventListener('change', changed);
    this.watchers += 1;
    if (this.watchers === 1) {
      this.stopLooking = lookAgain(() => void this.refresh());
      void this.refresh();
    } else if (this.known) changed();
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      this.removeEventListener('change', changed);
      this.watchers -= 1;
      if (this.watchers > 0) return;
      clearTimeout(this.timer);
      this.stopLooking?.();
      [this.all, this.known] = [[], false];
    };
  }

  /** Ask for all jobs. Never fails: where the server is away, the list stays as it is. */
  async refresh() {
    await this.take(
      () => api('/api/runs'),
      (answer) => answer.runs,
    );
  }

  /** Ask for the jobs that run; for all, once other ones run than before. Never fails. */
  async poll() {
    if (document.visibilityState === 'hidden') return; // `lookAgain` asks once it is shown
    const running = this.all.filter((run) => !run.outcome).map((run) => run.id);
    let others = false;
    await this.take(
      () => api('/api/runs?running=1'),
      (answer) => {
        const fresh = new Map(answer.runs.map((run) => [run.id, run]));
        others = fresh.size !== running.length || running.some((id) => !fresh.has(id));
        return others ? null : this.all.map((run) => fresh.get(run.id) ?? run);
      },
    );
    if (others) await this.refresh();
  }

  /**
   * @param {() => Promise<{runs: Runs['all']}>} ask
   * @param {(answer: {runs: Runs['all']}) => Runs['all'] | null} listOf The list by an answer; null to keep it.
   */
  async take(ask, listOf) {
    this.asked += 1;
    const turn = this.asked;
    clearTimeout(this.timer);
    const answer = await ask().catch(() => null);
    if (turn !== this.asked || !this.watchers) return; // a later request has the latest
    const list = answer && listOf(answer);
    if (list) {
      const before = this.known ? runningOf(this.all) : null;
      this.all = list;
      this.known = true;
      this.dispatchEvent(new Event('change'));
      if (before !== null && before !== runningOf(list)) tellTabs();
    }
    clearTimeout(this.timer);
    if (this.busy) this.timer = setTimeout(() => void this.poll(), POLL_MILLISECONDS);
  }
}

/** @param {Runs['all']} list */
function runningOf(list) {
  return list
    .filter((run) => !run.outcome)
    .map((run) => run.id)
    .sort()
    .join();
}

/** The jobs of this page's library. */
export const runs = new Runs();
