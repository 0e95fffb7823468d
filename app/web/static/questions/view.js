// Questions page: a shot drawn at random, what a person would type to find it, and the questions that were written.

import { mountOnce } from '../core/component.js';
import { element, useStyleSheet } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { MAX_QUESTION_LENGTH } from '../core/limits.js';
import { lookAgain } from '../core/look_again.js';
import { keepInTab, keptInTab } from '../core/storage.js';
import { attempt, toast } from '../core/toast.js';
import { mount as mountShell } from '../shell.js';
import { DrawPlace } from './draw_place.js';
import { ShotPanel } from './shot_panel.js';
import { Written } from './written.js';

const TYPED = 'prismsearch.question';

/** @typedef {import('../core/types.js').Component<{library: string}>} QuestionsComponent */

export const mount = mountOnce((/** @type {QuestionsComponent} */ component) => new QuestionsView(component));

/**
 * Create a form with one text box. Enter saves; what could not be saved stays in the box.
 *
 * @param {string} label
 * @param {string} button
 * @param {(text: string) => Promise<boolean>} save
 */
export function questionForm(label, button, save) {
  const input = element('input', {
    class: 'ps-text',
    type: 'text',
    maxlength: MAX_QUESTION_LENGTH,
    autocomplete: 'off',
  });
  const form = element(
    'form',
    { class: 'ps-question-form' },
    element('label', {}, element('span', { text: label }), input),
    element('button', { class: 'ps-button', type: 'submit', text: button }),
  );
  let saving = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text || saving) return;
    saving = true;
    const saved = await save(text);
    saving = false;
    if (saved && input.value.trim() === text) input.value = '';
  });
  return { form, input };
}

class QuestionsView {
  /** @param {QuestionsComponent} component */
  constructor({ parentElement: parent, data }) {
    this.removeShell = mountShell({ parentElement: parent });
    void useStyleSheet('questions/view.css');
    this.place = new DrawPlace(data.library);
    this.panel = new ShotPanel(() => this.skip());
    this.written = new Written(() => this.panel.segment);
    const shown = questionForm('What would you type to find this?', 'Save and next', (text) => this.save(text));
    const absent = questionForm('Something that is not in this library', 'Save', (text) =>
      this.written.add(text, null),
    );
    shown.form.querySelector('button')?.classList.add('ps-primary');
    this.input = shown.input;
    this.input.addEventListener('input', () => this.keepTyped());
    this.root = element(
      'div',
      { class: 'ps-questions' },
      element(
        'section',
        { class: 'ps-question-watch', 'aria-label': 'Write questions' },
        this.panel.root,
        shown.form,
        absent.form,
        element('p', {
          class: 'ps-muted',
          text: 'The same words for another shot give a question one more answer. What is not in the library tests whether a search says “no good match”.',
        }),
      ),
      this.written.root,
    );
    parent.append(this.root);
    this.removeKeys = addKeys('Questions', this.keys());
    this.stopLooking = lookAgain(() => void this.written.refresh());
    void this.written.refresh();
    void this.next(matchMedia('(hover: hover)').matches);
  }

  /** @returns {import('../core/keys.js').Key[]} */
  keys() {
    const { panel } = this;
    return [
      { key: ' ', label: 'Play or pause', run: (event) => (onControl(event) ? false : panel.deck.toggle()) },
      { key: ', ArrowLeft', label: 'One frame back', run: () => panel.step(-1) },
      { key: '. ArrowRight', label: 'One frame forward', run: () => panel.step(1) },
      { key: 'w W', label: 'Write a question (Esc leaves the text box)', run: () => this.input.focus() },
      { key: 'n N', label: 'Skip', run: () => this.skip() },
      { key: 'a A', label: 'Sound on or off', run: () => panel.toggleSound() },
      { key: 'p P', label: 'Open in the player', run: () => panel.openPlayer() },
    ];
  }

  /**
   * Show the shot that is due.
   *
   * @param {boolean} [focus] Whether the text box gets the focus.
   */
  async next(focus = false) {
    const drawn = await attempt(() => this.place.draw());
    if (!drawn) return;
    this.input.value = this.typedFor(drawn.shot?.segment ?? null);
    if (focus) this.input.focus();
    await this.panel.show(drawn);
  }

  /**
   * @param {string} text
   * @returns {Promise<boolean>}
   */
  async save(text) {
    const { segment } = this.panel;
    const again = this.wayBack(text);
    if (segment === null || !(await this.written.add(text, segment, again))) return false;
    keepInTab(TYPED, '');
    if (segment === this.panel.segment) {
      this.place.done();
      void this.next();
    }
    return true;
  }

  skip() {
    const typed = this.input.value.trim();
    const again = this.wayBack(typed);
    this.place.done();
    if (typed) toast('Skipped; your text was not saved', { seconds: 10, action: { label: 'Undo', run: again } });
    void this.next();
  }

  /**
   * Return what shows the present shot again, with a text in the box.
   *
   * @param {string} text
   */
  wayBack(text) {
    const { after } = this.place;
    const { segment } = this.panel;
    return () => {
      this.place.back(after);
      keepInTab(TYPED, JSON.stringify({ segment, text }));
      void this.next(true);
    };
  }

  keepTyped() {
    keepInTab(TYPED, JSON.stringify({ segment: this.panel.segment, text: this.input.value }));
  }

  /**
   * Return what was typed for a shot before the page was loaded again, or ''.
   *
   * @param {number | null} segment
   */
  typedFor(segment) {
    try {
      const { segment: of, text } = JSON.parse(keptInTab(TYPED));
      return of === segment && typeof text === 'string' ? text : '';
    } catch {
      return '';
    }
  }

  remove() {
    this.removeKeys();
    this.stopLooking();
    this.panel.remove();
    this.root.remove();
    this.removeShell();
  }
}
