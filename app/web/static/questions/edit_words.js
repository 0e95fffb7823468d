// Field in the place of a question's words, to change them.

import { element } from '../core/dom.js';
import { MAX_QUESTION_LENGTH } from '../core/limits.js';

/**
 * Put a field in the place of a question. Enter and leaving it save, Escape and leaving it unchanged or blank cancel.
 *
 * @param {HTMLElement} words Shows the question.
 * @param {string} question
 * @param {object} actions
 * @param {(text: string) => Promise<boolean>} actions.save Return whether it was saved; if not, the field stays.
 * @param {(byKey: boolean) => unknown} actions.done Called in the end, with whether a key ended it.
 */
export function editWords(words, question, { save, done }) {
  if (words.querySelector('input')) return;
  const input = element('input', {
    class: 'ps-text',
    type: 'text',
    maxlength: MAX_QUESTION_LENGTH,
    'aria-label': 'Question',
  });
  input.value = question;
  /**
   * @param {boolean} keep
   * @param {boolean} byKey
   */
  const finish = async (keep, byKey) => {
    if (!input.isConnected || input.disabled) return;
    const text = input.value.trim();
    const changed = keep && text !== '' && text !== question;
    if (changed) {
      input.disabled = true;
      const saved = await save(text);
      input.disabled = false;
      if (!saved) {
        input.focus();
        return;
      }
    }
    window.removeEventListener('keydown', cancel, true);
    words.replaceChildren(changed ? text : question);
    done(byKey);
  };
  // In the window's capture phase: the keys of the page take Escape for leaving the field, which would save.
  /** @param {KeyboardEvent} event */
  const cancel = (event) => {
    if (event.key === 'Escape' && event.target === input) void finish(false, true);
  };
  window.addEventListener('keydown', cancel, true);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    void finish(true, true);
  });
  input.addEventListener('blur', () => void finish(true, false));
  words.replaceChildren(input);
  input.focus();
  input.select();
}
