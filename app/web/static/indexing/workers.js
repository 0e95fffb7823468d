// Who works for a library on a server, on all of its machines: a list that is kept up to date while it is seen.

import { api } from '../core/api.js';
import { mountOnce } from '../core/component.js';
import { element, setText, useStyleSheet, useStyles } from '../core/dom.js';
import { lookAgain } from '../core/look_again.js';

const POLL_MILLISECONDS = 3000;

/**
 * @typedef {{machine: string, work: string, place: string}} Worker
 * @typedef {import('../core/component.js').Component<object>} WorkersComponent
 */

export const mount = mountOnce((/** @type {WorkersComponent} */ component) => new WorkerList(component));

class WorkerList {
  /** @param {WorkersComponent} component */
  constructor(component) {
    void useStyles();
    void useStyleSheet('indexing/jobs.css');
    this.list = element('ul', { role: 'list' });
    this.root = element(
      'section',
      { class: 'ps-jobs ps-workers', 'aria-label': 'Workers', hidden: true },
      element('h2', { text: 'Workers' }),
      this.list,
    );
    component.parentElement.append(this.root);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.removed = false;
    this.stopLooking = lookAgain(() => void this.refresh());
    void this.refresh();
  }

  /** Ask who works, now and again while the page is visible. Never fails: without an answer, the list stays. */
  async refresh() {
    clearTimeout(this.timer);
    /** @type {{workers: Worker[]} | null} */
    const answer = await api('/api/workers').catch(() => null);
    if (this.removed) return;
    if (answer) this.draw(answer.workers);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (document.visibilityState !== 'hidden') void this.refresh(); // else `lookAgain` does once it is shown
    }, POLL_MILLISECONDS);
  }

  /** @param {Worker[]} workers */
  draw(workers) {
    this.root.hidden = !workers.length;
    while (this.list.children.length > workers.length) this.list.lastElementChild?.remove();
    workers.forEach(({ machine, work, place }, at) => {
      const item = this.list.children[at] ?? this.list.appendChild(emptyItem());
      const [name, doing, where] = /** @type {HTMLElement[]} */ ([...item.children]);
      setText(name, machine);
      setText(doing, work);
      setText(where, place);
    });
  }

  remove() {
    this.removed = true;
    clearTimeout(this.timer);
    this.stopLooking();
    this.root.remove();
  }
}

function emptyItem() {
  return element(
    'li',
    { class: 'ps-worker' },
    element('strong', {}),
    element('span', {}),
    element('span', { class: 'ps-muted' }),
  );
}
