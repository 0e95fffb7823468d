// Cards of the long jobs, on the Indexing page: the progress or outcome of each, and buttons to stop, resume, retry or forget it.

import { api } from '../core/api.js';
import { mountOnce, trigger } from '../core/component.js';
import { element, setText, useStyleSheet, useStyles } from '../core/dom.js';
import { runs } from '../core/runs.js';
import { attempt, toast } from '../core/toast.js';
import { cardContent } from './job_card.js';

const MOST_EARLIER = 6;

/** @typedef {import('./job_card.js').Card} Card */
/** @typedef {import('../core/component.js').Component<{running: string[]}>} JobsComponent */

export const mount = mountOnce((/** @type {JobsComponent} */ component) => new JobCards(component));

class JobCards {
  /** @param {JobsComponent} component */
  constructor(component) {
    void useStyles();
    void useStyleSheet('indexing/jobs.css');
    this.component = component;
    /** @type {Map<string, HTMLElement>} */
    this.cards = new Map();
    /** @type {Map<string, string>} */
    this.logs = new Map(); // what is shown of the output of jobs whose log is open
    this.everything = false;
    /** @type {Set<string> | null} */
    this.running = null; // when the server last answered
    this.asked = ''; // jobs for which the script has been run
    this.now = section('In progress');
    this.before = section('Earlier');
    this.more = element('button', { class: 'ps-link', type: 'button', onclick: () => this.toggleAll() });
    this.clear = element('button', {
      class: 'ps-link',
      type: 'button',
      text: 'Dismiss all',
      title: 'Removes them from this list only; nothing else is deleted.',
      onclick: () => void this.act(() => api('/api/runs', { method: 'DELETE' })),
    });
    this.root = element('div', { class: 'ps-jobs' }, this.now, this.before, element('div', {}, this.more, this.clear));
    component.parentElement.append(this.root);
    this.unwatch = runs.watch(() => this.draw());
  }

  /** @param {JobsComponent} component */
  update(component) {
    this.component = component;
    void runs.refresh(); // the script has been run, perhaps because it has started a job
  }

  draw() {
    const cards = runs.all.map((run) => /** @type {Card} */ (run.card));
    const running = cards.filter((card) => !card.outcome);
    const earlier = cards.filter((card) => card.outcome);
    this.tellEnds(cards);
    this.fill(this.now, running);
    this.fill(this.before, this.everything ? earlier : earlier.slice(0, MOST_EARLIER));
    this.more.hidden = earlier.length <= MOST_EARLIER;
    setText(this.more, this.everything ? 'Show fewer' : `Show all ${earlier.length}`);
    this.clear.hidden = earlier.length < 2;
    const ids = new Set(cards.map((card) => card.id));
    for (const [id, card] of this.cards) {
      if (card.isConnected && ids.has(id)) continue;
      card.remove();
      this.cards.delete(id);
    }
    this.rerun(running.map((card) => card.id));
    for (const card of running) if (this.logs.has(card.id)) void this.readLog(card.id); // never fails
  }

  /**
   * Run the script if it knows other jobs to run than the server: what it draws depends on them.
   *
   * @param {string[]} running
   */
  rerun(running) {
    const now = [...running].sort().join();
    if (now === [...this.component.data.running].sort().join()) this.asked = now;
    else if (now !== this.asked) {
      this.asked = now;
      trigger(this.component, 'changed', {});
    }
  }

  /** @param {Card[]} cards */
  tellEnds(cards) {
    for (const card of cards) if (card.outcome && this.running?.has(card.id)) toast(`${card.title}: ${card.result}`);
    this.running = new Set(cards.filter((card) => !card.outcome).map((card) => card.id));
  }

  /**
   * @param {HTMLElement} parent
   * @param {Card[]} cards
   */
  fill(parent, cards) {
    parent.hidden = !cards.length;
    const list = /** @type {HTMLElement} */ (parent.lastElementChild);
    cards.forEach((card, at) => {
      const node = this.cards.get(card.id) ?? element('li', { class: 'ps-job', 'data-run': card.id });
      this.cards.set(card.id, node);
      if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
      const log = this.logs.get(card.id);
      const token = JSON.stringify([card, log]);
      if (node.dataset.token === token) return;
      node.dataset.token = token;
      const { activeElement } = document;
      const held = node.contains(activeElement) ? activeElement?.getAttribute('data-action') : null;
      const open = node.querySelector('details')?.open;
      node.replaceChildren(...cardContent(card, log, (action) => void this.run(action, card.id), open));
      if (held) /** @type {HTMLElement | null} */ (node.querySelector(`[data-action="${held}"]`))?.focus();
    });
    while (list.children.length > cards.length) list.lastElementChild?.remove();
  }

  /**
   * Do what a button says. Shows its errors itself.
   *
   * @param {string} action
   * @param {string} id
   */
  async run(action, id) {
    const address = `/api/runs/${encodeURIComponent(id)}`;
    if (action === 'log') {
      if (this.logs.delete(id)) this.draw();
      else await this.readLog(id);
    } else if (action === 'forget') await this.act(() => api(address, { method: 'DELETE' }));
    else await this.act(() => api(`${address}/${action}`, { method: 'POST' }));
  }

  /** @param {() => Promise<unknown>} request */
  async act(request) {
    await attempt(request);
    await runs.refresh();
  }

  /** @param {string} id */
  async readLog(id) {
    /** @type {{log: string} | null} */
    const answer = await api(`/api/runs/${encodeURIComponent(id)}/log`).catch(() => null);
    const text = answer ? answer.log || 'Nothing printed yet.' : 'The log cannot be read.';
    if (this.logs.get(id) === text) return;
    this.logs.set(id, text);
    this.draw();
  }

  toggleAll() {
    this.everything = !this.everything;
    this.draw();
  }

  remove() {
    this.unwatch();
    this.root.remove();
  }
}

/** @param {string} title */
function section(title) {
  return element(
    'section',
    { 'aria-label': title, hidden: true },
    element('h2', { text: title }),
    element('ul', { role: 'list' }),
  );
}
