// What is said in the clips of an export: where it goes, which of a video's words, and what that comes to.

import { api } from '../../core/api.js';
import { element, setText } from '../../core/dom.js';
import { languageName } from '../../player/transcript/tracks.js';
import { Asked } from './asked.js';
import { counted } from './job.js';
import { carriesWords, SUBTITLES, WORDS_FROM } from './request.js';

/** @typedef {import('./request.js').Choice} Choice */

/**
 * The body of `POST /api/exports/words`.
 *
 * @typedef {object} WordsQuestion
 * @property {number} collection
 * @property {number[]} [subclips] All where it is missing.
 * @property {number} handles_seconds
 * @property {string} language
 * @property {string} words_from
 */

/**
 * The words that clips would carry.
 *
 * @typedef {object} WordsForecast
 * @property {string[]} kinds That any of their videos has.
 * @property {string[]} languages Of these words, of the kinds that were asked for.
 * @property {{kind: string, language: string, clips: number}[]} carried Number of clips by their words.
 * @property {number} silent Number of those in which nothing is said.
 * @property {number} without Number of clips that carry none.
 * @property {string[]} reasons The first reasons for that.
 */

/** @type {Record<string, string>} */
const NAMES = { subtitle: 'subtitles', speech: 'recognised speech', screen: 'text in the pictures' };
/** @type {Record<string, string>} */
const WRITTEN = { file: 'SRT files beside', track: 'A subtitle track in', burn: 'Drawn into the pictures of' };

/** The group of the form. It is hidden where no clip has words. */
export class ExportWords {
  /**
   * @param {object} callbacks
   * @param {(choice: Partial<Choice>) => void} callbacks.choose
   * @param {() => void} callbacks.changed Called after each answer of the server.
   */
  constructor({ choose, changed }) {
    /** @type {Asked<WordsQuestion, WordsForecast>} */
    this.asked = new Asked((body, signal) => api('/api/exports/words', { method: 'POST', body, signal }), changed);
    this.places = choices('Subtitles', SUBTITLES, (subtitles) => choose({ subtitles }));
    this.kinds = choices('Words from', WORDS_FROM, (wordsFrom) => choose({ wordsFrom }));
    /** @type {HTMLSelectElement} */
    this.languages = element('select', {
      class: 'ps-select',
      'aria-label': 'Language of the words',
      onchange: () => choose({ language: this.languages.value }),
    });
    /** @type {HTMLInputElement} */
    this.markers = element('input', {
      type: 'checkbox',
      'aria-label': 'Markers in the lists',
      onchange: () => choose({ markers: this.markers.checked }),
    });
    this.line = element('div', { class: 'ps-muted ps-export-example', 'aria-live': 'polite' });
    this.which = element('div', { class: 'ps-export-which' }, this.kinds, this.languages);
    this.element = element(
      'fieldset',
      { class: 'ps-export-group', hidden: true },
      element('legend', { text: 'What is said' }),
      this.places,
      element(
        'label',
        { class: 'ps-choice' },
        this.markers,
        element('span', { class: 'ps-choice-text' }, element('span', { text: 'Markers in the lists' })),
      ),
      this.which,
      this.line,
    );
  }

  /** Whether no clip has any words, as far as is known. */
  get none() {
    return this.asked.answer?.kinds.length === 0;
  }

  /**
   * Find out about the words of clips unless it is known.
   *
   * @param {WordsQuestion | null} question null: nothing is exported.
   * @param {unknown} state What else it depends on.
   */
  ask(question, state) {
    this.asked.ask(question, state);
  }

  /** Ask no more. */
  stop() {
    this.asked.stop();
  }

  /**
   * @param {Choice} choice
   * @param {string} problem Why it cannot be done; or ''.
   */
  draw(choice, problem) {
    const forecast = this.asked.answer;
    this.element.hidden = this.none || (!forecast && !carriesWords(choice));
    this.places.value = choice.subtitles;
    this.places.disabled = choice.mode === 'none';
    this.markers.checked = choice.markers;
    this.kinds.value = choice.wordsFrom;
    const names = languageChoices(forecast?.languages ?? [], choice.language);
    if (this.languages.dataset.names !== JSON.stringify(names)) {
      this.languages.dataset.names = JSON.stringify(names);
      this.languages.replaceChildren(...names.map(([value, text]) => element('option', { value, text })));
    }
    this.languages.value = choice.language;
    this.which.hidden = !carriesWords(choice);
    setText(this.line, problem || (forecast ? forecastText(choice, forecast) : ''));
    this.line.classList.toggle('ps-export-problem', problem !== '');
  }
}

/**
 * Return the languages to choose from; what was chosen before is one of them, even where no clip has it.
 *
 * @param {string[]} languages
 * @param {string} chosen
 * @returns {[string, string][]} Value and text.
 */
export function languageChoices(languages, chosen) {
  const all = chosen && !languages.includes(chosen) ? [...languages, chosen] : languages;
  return [['', 'First language'], ...all.map((each) => /** @type {[string, string]} */ ([each, languageName(each)]))];
}

/**
 * Return what will be written, in a few sentences; '' where nothing is.
 *
 * @param {Choice} choice
 * @param {WordsForecast} forecast
 * @returns {string}
 */
export function forecastText(choice, { carried, silent, without, reasons }) {
  if (!carriesWords(choice)) return '';
  const clips = carried.reduce((sum, each) => sum + each.clips, 0);
  const named = carried.map((each) => {
    const name = [NAMES[each.kind] ?? each.kind, languageName(each.language)].filter(Boolean).join(' in ');
    return carried.length > 1 ? `${name} (${each.clips})` : name;
  });
  const cuts = choice.mode !== 'none' && choice.subtitles !== 'none';
  const places = [cuts ? WRITTEN[choice.subtitles] : '', choice.markers ? 'markers for' : '']
    .filter(Boolean)
    .join(', ');
  return [
    clips ? `${capitalized(places)} ${counted(clips, 'clip')}: ${named.join(', ')}.` : '',
    silent ? `In ${silent} of them nothing is said.` : '',
    without ? `Without words: ${counted(without, 'clip')} (${reasons[0] ?? ''}${reasons.length > 1 ? ' …' : ''}).` : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** @param {string} text */
function capitalized(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * @template {string} Value
 * @param {string} label
 * @param {readonly (readonly [Value, string])[]} values
 * @param {(value: Value) => void} choose
 */
function choices(label, values, choose) {
  /** @type {HTMLSelectElement} */
  const select = element(
    'select',
    {
      class: 'ps-select',
      'aria-label': label,
      onchange: () => {
        const chosen = values[select.selectedIndex];
        if (chosen) choose(chosen[0]);
      },
    },
    ...values.map(([value, text]) => element('option', { value, text })),
  );
  return select;
}
