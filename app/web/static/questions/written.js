// List of the questions that were written: each can be played, changed, deleted, or given the present shot as another answer.

import { api, messageOf } from '../core/api.js';
import { element, setText } from '../core/dom.js';
import { attempt, toast } from '../core/toast.js';
import { openPlayer } from '../player/player.js';
import { editWords } from './edit_words.js';
import { countText, placeText } from './texts.js';

/** @typedef {import('../core/types.js').QuestionLine} QuestionLine */
/** @typedef {import('../core/types.js').QuestionList} QuestionList */

const PAGE = 50;

/** The list, kept up to date by `refresh`. */
export class Written {
  /** @param {() => number | null} shot Return a part of the shot that is shown. */
  constructor(shot) {
    this.shot = shot;
    this.limit = PAGE;
    this.ticket = 0;
    this.token = '';
    /** @type {Promise<unknown>} */
    this.queue = Promise.resolve();
    this.count = element('div', { class: 'ps-muted ps-question-count', role: 'status' });
    this.list = element('ul', { class: 'ps-question-list', 'aria-label': 'Written questions' });
    this.more = element('button', {
      class: 'ps-button ps-more',
      type: 'button',
      text: 'Show more',
      hidden: true,
      onclick: () => {
        this.limit += PAGE;
        void this.refresh();
      },
    });
    this.trouble = element('p', { class: 'ps-question-trouble', role: 'alert', hidden: true });
    this.command = element('code', { class: 'ps-question-command' });
    this.download = element('a', {
      class: 'ps-button',
      href: '/api/questions/file',
      download: '',
      text: 'Download CSV',
    });
    this.root = element(
      'section',
      { class: 'ps-question-written', 'aria-labelledby': 'ps-question-written' },
      element(
        'header',
        {},
        element(
          'div',
          { class: 'ps-grow' },
          element('h2', { id: 'ps-question-written', text: 'Your questions' }),
          this.count,
        ),
        this.download,
      ),
      this.trouble,
      this.list,
      this.more,
      element('p', { class: 'ps-muted' }, 'How well does this library answer them? In a terminal: ', this.command),
    );
  }

  /** Bring the list up to date with the server. */
  async refresh() {
    this.ticket += 1;
    const { ticket } = this;
    /** @type {QuestionList | string} */
    const answer = await api(`/api/questions?limit=${this.limit}`).catch(messageOf);
    if (ticket !== this.ticket) return;
    const failed = typeof answer === 'string';
    this.trouble.hidden = !failed;
    setText(this.trouble, failed ? answer : '');
    if (failed) return;
    setText(this.count, countText(answer));
    setText(this.command, answer.command);
    this.command.title = answer.path;
    this.more.hidden = answer.lines.length >= answer.total;
    this.draw(answer.lines);
  }

  /** @param {QuestionLine[]} lines */
  draw(lines) {
    const token = JSON.stringify(lines);
    if (token === this.token || this.list.querySelector('input')) return;
    this.token = token;
    const active = document.activeElement;
    const focused = active instanceof HTMLElement && this.list.contains(active) ? active : null;
    const { key, act } = { key: focused?.closest('li')?.dataset.key, act: focused?.dataset.act };
    this.list.replaceChildren(...lines.map((line) => this.row(line)));
    if (!focused) return;
    const row = [...this.list.children].find((each) => each instanceof HTMLElement && each.dataset.key === key);
    /** @type {HTMLElement | null | undefined} */
    const place = row?.querySelector(`[data-act=${act}]`);
    (place ?? this.list.querySelector('button'))?.focus();
  }

  /** @param {QuestionLine} line */
  row(line) {
    const { key, question, segment } = line;
    const words = element('div', { class: 'ps-question-words', text: question });
    /** @type {(act: string, text: string, label: string, run: () => unknown) => HTMLElement} */
    const button = (act, text, label, run) =>
      element('button', {
        class: 'ps-icon',
        type: 'button',
        text,
        title: label,
        'aria-label': `${label}: ${question}`,
        'data-act': act,
        onclick: run,
      });
    return element(
      'li',
      { class: 'ps-question', 'data-key': key },
      segment === null
        ? element('span', { class: 'ps-question-poster', 'aria-hidden': 'true' })
        : element(
            'button',
            {
              class: 'ps-question-poster',
              type: 'button',
              'data-act': 'play',
              'aria-label': `Play the answer: ${question}`,
              onclick: () => openPlayer([{ id: segment }]),
            },
            element('img', { src: `/api/poster/${segment}`, alt: '', loading: 'lazy' }),
          ),
      element(
        'div',
        { class: 'ps-grow' },
        words,
        element('div', { class: 'ps-muted ps-question-place', text: placeText(line), title: line.path }),
      ),
      element(
        'span',
        { class: 'ps-question-actions' },
        line.file && button('here', '+', 'The present shot answers it, too', () => this.alsoHere(question)),
        button('edit', '✎', 'Edit', () => this.edit(line, words)),
        button('remove', '×', 'Delete', () => this.removeLine(line)),
      ),
    );
  }

  /**
   * Save a question, after those that are being saved.
   *
   * @param {string} question
   * @param {number | null} segment A part of the shot that answers it; null if nothing in the library does.
   * @param {() => unknown} [undone] Called after an undo.
   * @returns {Promise<boolean>} Whether it was saved; the reason why not has been shown.
   */
  add(question, segment, undone = () => {}) {
    return this.inTurn(async () => {
      /** @type {{key: string}} */
      const { key } = await api('/api/questions', { method: 'POST', body: { question, segment } });
      const undo = async () => {
        if (await this.send(`/api/questions/${key}`, 'DELETE')) undone();
      };
      toast('Saved', { seconds: 8, action: { label: 'Undo', run: undo } });
    });
  }

  /** @param {string} question */
  alsoHere(question) {
    const segment = this.shot();
    if (segment !== null) void this.add(question, segment);
  }

  /** @param {QuestionLine} line */
  async removeLine({ key, question }) {
    if (!(await this.send(`/api/questions/${key}`, 'DELETE'))) return;
    toast(`Deleted: ${question}`, {
      seconds: 15,
      action: { label: 'Undo', run: () => this.send(`/api/questions/${key}/put-back`, 'POST') },
    });
  }

  /**
   * @param {QuestionLine} line
   * @param {HTMLElement} words
   */
  edit({ key, question }, words) {
    let now = key;
    editWords(words, question, {
      save: (text) =>
        this.inTurn(async () => {
          /** @type {{key: string}} */
          const changed = await api(`/api/questions/${key}`, { method: 'PATCH', body: { question: text } });
          now = changed.key;
        }),
      done: async (byKey) => {
        this.token = '';
        await this.refresh();
        /** @type {HTMLElement | null} */
        const button = this.list.querySelector(`[data-key="${now}"] [data-act=edit]`);
        if (byKey) button?.focus();
      },
    });
  }

  /**
   * @param {string} address
   * @param {string} method
   */
  send(address, method) {
    return this.inTurn(() => api(address, { method }));
  }

  /**
   * Run requests one after the other, and show the state of the server after each.
   *
   * @param {() => Promise<unknown>} work
   * @returns {Promise<boolean>} Whether it worked.
   */
  async inTurn(work) {
    const turn = this.queue.then(() =>
      attempt(async () => {
        await work();
        return true;
      }),
    );
    this.queue = turn;
    const done = (await turn) ?? false;
    await this.refresh();
    return done;
  }
}
