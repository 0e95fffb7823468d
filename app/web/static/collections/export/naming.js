// File names of clips by a pattern, as `prismsearch export --name` takes it, to show an example while one is typed. The
// export itself names the files (app/exporting/naming.py); tests/clip_name_table.json holds both to the same names.

import { MAX_PATTERN_LENGTH } from '../../core/limits.js';
import { wholeMilliseconds } from '../../core/timecode.js';

const MAX_NAME_BYTES = 200; // in UTF-8
const FORBIDDEN = /[<>:"/\\|?*\p{Cc}\p{Cs}\u2028\u2029\ufffd\u202a-\u202e\u2066-\u2069]+/gu;
const RESERVED = /^(?:CON|PRN|AUX|NUL|(?:COM|LPT)[0-9¹²³])$/i;
const COPIED_CONTAINERS = ['.mp4', '.m4v', '.mov', '.webm', '.ts', '.m2ts', '.mts']; // others are copied into Matroska

/** @typedef {'collection' | 'label' | 'name' | 'source'} TextField A field whose text has any length. */
/** @typedef {TextField | 'rank' | 'number' | 'start' | 'end' | 'score'} Field */
/** @typedef {{text: string, field: Field | null}} Part Text, and the field that follows it. */

/** @type {[Field, string][]} Fields of a pattern, each with its explanation. */
export const TOKENS = [
  ['rank', 'The place in the collection: 007'],
  ['name', 'The clip’s name, else that of its file'],
  ['source', 'The name of the file it comes from'],
  ['start', 'Where it begins: 00h00m12.480s'],
  ['end', 'Where it ends'],
  ['collection', 'The collection it is in'],
  ['label', 'The clip’s name, else nothing'],
  ['score', 'How well it matched the search'],
];
/** The pattern that is used where a person gives none. */
export const DEFAULT_PATTERN = '{rank}_{name}_{start}-{end}';

/** @type {ReadonlySet<string>} */
const FIELDS = new Set([...TOKENS.map(([name]) => name), 'number']);
/** @type {readonly TextField[]} */
const TEXT_FIELDS = ['collection', 'label', 'name', 'source'];

/**
 * The values of a name's fields. Seconds count from the video's first frame shown.
 *
 * @typedef {object} ClipFacts
 * @property {number} rank From 1.
 * @property {number} total Number of clips; determines the number of digits of ranks.
 * @property {string} source File name without suffix.
 * @property {number} start
 * @property {number} end
 * @property {string} label '' where a person has given none.
 * @property {string} collection
 * @property {number | null} score
 */

/** A pattern that cannot be used. `message` is a sentence for a person. */
export class PatternError extends Error {}

/**
 * Return the file name of a clip.
 *
 * @param {ClipFacts} facts
 * @param {string} suffix Such as `.mp4`.
 * @param {string} pattern
 * @returns {string}
 * @throws {PatternError}
 */
export function clipFileName(facts, suffix, pattern) {
  const parts = partsOf(pattern);
  const mostBytes = MAX_NAME_BYTES - bytesOf(suffix) - '_9999'.length;
  const rank = String(facts.rank).padStart(Math.max(3, String(facts.total).length), '0');
  /** @type {Record<Field, string>} */
  const values = {
    rank,
    number: rank,
    start: moment(facts.start),
    end: moment(facts.end),
    score: facts.score === null ? '' : threeDecimals(facts.score),
    name: facts.label || facts.source || 'clip',
    source: facts.source,
    label: facts.label,
    collection: facts.collection,
  };
  for (const field of TEXT_FIELDS) if (values[field]) values[field] = portable(values[field], mostBytes);
  shorten(parts, values, mostBytes);
  const stem = portable(filled(parts, values), mostBytes);
  // Many programs read a leading dash as an option; Windows reserves some names.
  const unsafe = stem.startsWith('-') || RESERVED.test(stem.split('.', 1)[0].trim());
  return (unsafe ? `_${stem}` : stem) + suffix;
}

/**
 * Return the name that an export would give a clip, as far as it is known before.
 *
 * @param {string} pattern Blank for DEFAULT_PATTERN.
 * @param {import('../../core/types.js').Subclip | undefined} clip
 * @param {object} context
 * @param {number} context.number Place of the clip in its collection, from 1.
 * @param {number} context.total Number of clips.
 * @param {string} context.collection
 * @param {string} context.mode 'smart', 'exact', 'copy' or 'none'.
 * @param {number} context.handles Seconds before in and after out.
 * @returns {{name: string, problem: string | null}} `problem` says what is wrong with the pattern.
 */
export function exampleName(pattern, clip, { number, total, collection, mode, handles }) {
  if (!clip) return { name: '', problem: null };
  const { stem, suffix } = split(clip.fileName);
  const end = ((clip.video_end_pts - clip.video_start_pts) * clip.time_base[0]) / clip.time_base[1];
  /** @type {ClipFacts} */
  const facts = {
    rank: number,
    total,
    source: stem,
    start: Math.max(0, clip.start - handles),
    end: Math.min(end, clip.end + handles),
    label: clip.name,
    collection,
    score: clip.score,
  };
  try {
    return {
      name: clipFileName(facts, suffixOf(suffix, mode), pattern.trim() ? pattern : DEFAULT_PATTERN),
      problem: null,
    };
  } catch (error) {
    if (error instanceof PatternError) return { name: '', problem: error.message };
    throw error;
  }
}

/**
 * Return the suffix of a clip, for most videos. Encoded clips become MP4; so do most of the smart ones.
 *
 * @param {string} source Suffix of the source.
 * @param {string} mode
 * @returns {string}
 */
function suffixOf(source, mode) {
  if (mode !== 'copy') return '.mp4';
  const own = source.toLowerCase();
  return COPIED_CONTAINERS.includes(own) ? own : '.mkv';
}

/**
 * Split a file name before its last dot, unless that is its first character.
 *
 * @param {string} fileName
 * @returns {{stem: string, suffix: string}}
 */
function split(fileName) {
  const dot = fileName.lastIndexOf('.');
  return dot > 0 ? { stem: fileName.slice(0, dot), suffix: fileName.slice(dot) } : { stem: fileName, suffix: '' };
}

/**
 * Split a pattern into its parts.
 *
 * @param {string} pattern
 * @returns {Part[]}
 * @throws {PatternError}
 */
function partsOf(pattern) {
  if (!pattern.trim() || [...pattern].length > MAX_PATTERN_LENGTH)
    throw new PatternError(`A pattern has 1 to ${MAX_PATTERN_LENGTH} characters.`);
  /** @type {Part[]} */
  const parts = [];
  let text = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const here = pattern[at];
    if ((here === '{' || here === '}') && pattern[at + 1] === here) {
      text += here;
      at += 1;
    } else if (here === '}') {
      throw new PatternError('There is a } without a {; write }} for a brace of its own.');
    } else if (here === '{') {
      const end = pattern.indexOf('}', at);
      if (end === -1) throw new PatternError('There is a { without a }; write {{ for a brace of its own.');
      const field = pattern.slice(at + 1, end).replace(/:$/, ''); // an empty format, as Python has it
      if (!isField(field)) throw new PatternError(`There is no {${field}}; the ones below are known.`);
      parts.push({ text, field });
      text = '';
      at = end;
    } else text += here;
  }
  parts.push({ text, field: null });
  return parts;
}

/**
 * @param {string} name
 * @returns {name is Field}
 */
function isField(name) {
  return FIELDS.has(name);
}

/**
 * @param {Field | null} field
 * @returns {field is TextField}
 */
function isTextField(field) {
  return TEXT_FIELDS.some((each) => each === field);
}

/**
 * Fill in the values. An empty one also removes the separators between it and the value before.
 *
 * @param {Part[]} parts
 * @param {Record<Field, string>} values
 * @returns {string}
 */
function filled(parts, values) {
  let name = '';
  for (const { text, field } of parts) {
    const value = field === null ? '' : values[field];
    name += (field !== null && !value && name ? text.replace(/[_\-. ]+$/, '') : text) + value;
  }
  return safe(name);
}

/**
 * Shorten the longest texts until the name fits, so that the numbers and times that distinguish clips stay.
 *
 * @param {Part[]} parts
 * @param {Record<Field, string>} values Changed in place.
 * @param {number} mostBytes
 */
function shorten(parts, values, mostBytes) {
  const used = parts.map((part) => part.field).filter(isTextField);
  for (;;) {
    const excess = bytesOf(filled(parts, values)) - mostBytes;
    if (excess <= 0 || !used.length) return;
    const longest = used.reduce((best, field) => (bytesOf(values[field]) > bytesOf(values[best]) ? field : best));
    const bytes = bytesOf(values[longest]);
    if (bytes <= 1) return;
    values[longest] = firstBytes(values[longest], Math.max(1, bytes - excess)).replace(/[ .]+$/, '');
  }
}

/**
 * Replace what some file system refuses by `_`.
 *
 * @param {string} text
 * @returns {string}
 */
function safe(text) {
  return text.normalize('NFC').replace(FORBIDDEN, '_');
}

/**
 * Make a text that every file system takes; `clip` where nothing is left.
 *
 * @param {string} text
 * @param {number} mostBytes
 * @returns {string}
 */
function portable(text, mostBytes) {
  const stripped = safe(text).replace(/^[ .]+|[ .]+$/g, '');
  return firstBytes(stripped, mostBytes).replace(/[ .]+$/, '') || 'clip';
}

/**
 * @param {string} text
 * @returns {number} Its length in UTF-8.
 */
function bytesOf(text) {
  return new TextEncoder().encode(text).length;
}

/**
 * Truncate a text between two characters.
 *
 * @param {string} text
 * @param {number} most Bytes in UTF-8.
 * @returns {string}
 */
function firstBytes(text, most) {
  const bytes = new TextEncoder().encode(text);
  let end = Math.min(most, bytes.length);
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end -= 1;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, end));
}

/**
 * Format a time for a file name, to the nearest millisecond (halves to the even one): 00h00m12.480s.
 *
 * @param {number} seconds
 * @returns {string}
 */
function moment(seconds) {
  const whole = wholeMilliseconds(Math.max(0, seconds));
  /** @type {(number: number, width?: number) => string} */
  const pad = (number, width = 2) => String(number).padStart(width, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600000), Math.floor(whole / 60000) % 60, whole % 60000];
  return `${pad(hours)}h${pad(minutes)}m${pad(Math.floor(rest / 1000))}.${pad(rest % 1000, 3)}s`;
}

/**
 * Format a number with three decimals, halves to the even one as Python has it. Only odd sixteenths lie half-way.
 *
 * @param {number} value
 * @returns {string}
 */
function threeDecimals(value) {
  const text = value.toFixed(3);
  const half = Math.abs((value * 16) % 2) === 1;
  return half && Number(text.at(-1)) % 2 ? (value - Math.sign(value) * 1e-4).toFixed(3) : text;
}
