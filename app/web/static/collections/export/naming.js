// File names of clips by a pattern, as `prismsearch export --name` takes it, to show an example while one is typed. The
// export itself names the files.

import { clock } from '../../core/timecode.js';

const MOST_CHARACTERS = 200;
const FORBIDDEN = /[<>:"/\\|?*\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]+/g;

/** Fields of a pattern, each with its explanation. */
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

/**
 * Return the file name of a clip.
 *
 * @param {string} pattern Blank for DEFAULT_PATTERN.
 * @param {import('../../core/types.js').Subclip | undefined} clip
 * @param {object} context
 * @param {number} context.number Place of the clip, from 1.
 * @param {number} context.total Number of clips.
 * @param {string} context.collection
 * @param {string} context.mode 'smart', 'exact', 'copy' or 'none'.
 * @param {number} context.handles Seconds before in and after out.
 * @returns {{name: string, problem: string | null}} `problem` says what is wrong with the pattern.
 */
export function nameOf(pattern, clip, { number, total, collection, mode, handles }) {
  if (!clip) return { name: '', problem: null };
  const { parts, problem } = partsOf(pattern.trim() ? pattern : DEFAULT_PATTERN);
  if (problem) return { name: '', problem };
  const source = clip.fileName.replace(/(?<=.)\.[^.]*$/, '');
  const end =
    clip.video_end_pts === undefined
      ? Infinity
      : ((clip.video_end_pts - clip.video_start_pts) * clip.time_base[0]) / clip.time_base[1];
  const rank = String(number).padStart(Math.max(3, String(total).length), '0');
  const values = {
    rank,
    number: rank,
    name: portable(clip.name || source),
    source: portable(source),
    label: portable(clip.name ?? ''),
    collection: portable(collection),
    start: moment(Math.max(0, clip.start - handles)),
    end: moment(Math.min(end, clip.end + handles)),
    score: typeof clip.score === 'number' ? clip.score.toFixed(3) : '',
  };
  let name = '';
  for (const [text, field] of parts) {
    const value = field === null ? '' : values[field];
    name += (field !== null && !value && name ? text.replace(/[_\-. ]+$/, '') : text) + value;
  }
  // Encoded clips become MP4; so do most of the smart ones.
  const extension = mode !== 'copy' ? '.mp4' : (clip.fileName.match(/\.[^.]{1,5}$/)?.[0] ?? '.mp4').toLowerCase();
  return { name: (portable(name).slice(0, MOST_CHARACTERS - 10) || 'clip') + extension, problem: null };
}

function partsOf(pattern) {
  const parts = [];
  const known = new Set([...TOKENS.map(([name]) => name), 'number']);
  let text = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const here = pattern[at];
    if ((here === '{' || here === '}') && pattern[at + 1] === here) {
      text += here;
      at += 1;
    } else if (here === '}') {
      return { problem: 'There is a } without a {; write }} for a brace of its own.' };
    } else if (here === '{') {
      const end = pattern.indexOf('}', at);
      const field = end < 0 ? null : pattern.slice(at + 1, end);
      if (field === null) return { problem: 'There is a { without a }; write {{ for a brace of its own.' };
      if (!known.has(field)) return { problem: `There is no {${field}}; the ones below are known.` };
      parts.push([text, field]);
      text = '';
      at = end;
    } else text += here;
  }
  parts.push([text, null]);
  return { parts };
}

/** Replace what some file system refuses by `_`; also lone surrogates, which file names can contain. */
function portable(text) {
  const whole = [...text.normalize('NFC')].map((each) => (/^[\ud800-\udfff]$/.test(each) ? '_' : each)).join('');
  return whole.replace(FORBIDDEN, '_').replace(/^[ .]+|[ .]+$/g, '');
}

/** Format a time for a file name: 00h00m12.480s. */
function moment(seconds) {
  const [hours, minutes, rest] = clock(seconds).split(':');
  return `${hours}h${minutes}m${rest}s`;
}
