// Times of subclips as editors read them: SMPTE codes, frame numbers, and what a person may type for one.

import { smpte } from './store.js';

export function rateOf(clip) {
  return clip.rate[0] / clip.rate[1];
}

/** The number of the frame at a time, as edit lists count: to the nearest, halves to the even one. */
export function frameNumber(seconds, rate) {
  const at = seconds * rate;
  const below = Math.floor(at);
  if (Math.abs(at - below - 0.5) < 1e-6) return below % 2 ? below + 1 : below;
  return Math.round(at);
}

/** In, out and length of a subclip: {code, frames} each. Out is the first frame that is no longer in it, as in edit lists. */
export function ranges(clip) {
  const rate = rateOf(clip);
  return {
    in: { code: smpte(clip.in_frame, rate, clip.timecode), frames: clip.in_frame },
    out: { code: smpte(clip.out_frame, rate, clip.timecode), frames: clip.out_frame },
    length: { code: duration(clip.out_frame - clip.in_frame, rate, clip.timecode), frames: clip.out_frame - clip.in_frame },
  };
}

/** A number of frames as a time code: drop-frame where the source counts so. */
export function duration(frames, rate, timecode = '') {
  return smpte(frames, rate, timecode.includes(';') ? '00:00:00;00' : '');
}

/** Of several subclips together: a code and frames where they share a rate, else only the time. */
export function total(clips) {
  const seconds = clips.reduce((sum, clip) => sum + (clip.end - clip.start), 0);
  const frames = clips.reduce((sum, clip) => sum + clip.out_frame - clip.in_frame, 0);
  const shared = new Set(clips.map((clip) => clip.rate.join('/'))).size === 1;
  return { seconds, frames, code: shared ? duration(frames, rateOf(clips[0]), clips[0].timecode) : null };
}

/**
 * The frame that a person means, counted from the video's first one; null where it is nothing of the kind.
 * Taken are a code (what is left out in front is as it is `now`), digits alone (the last two are frames), `+12` and `-1:00`
 * from `now`, and `#1200` or `1200f` for the number of a frame.
 */
export function frameFrom(text, { now, rate, timecode = '' }) {
  const typed = text.trim();
  const number = typed.match(/^(?:#\s*(\d{1,9})|(\d{1,9})\s*f)$/i);
  if (number) return Number(number[1] ?? number[2]);
  const signed = typed.match(/^([+-])\s*(.+)$/);
  const parts = partsOf(signed ? signed[2] : typed);
  if (!parts) return null;
  const whole = Math.max(1, Math.round(rate));
  if (signed) {
    const filled = [...Array(4 - parts.length).fill(0), ...parts];
    const frames = ((filled[0] * 60 + filled[1]) * 60 + filled[2]) * whole + filled[3];
    return now + (signed[1] === '-' ? -frames : frames);
  }
  const current = smpte(now, rate, timecode);
  const filled = [...current.split(/[:;]/).map(Number).slice(0, 4 - parts.length), ...parts];
  if (filled[1] > 59 || filled[2] > 59 || filled[3] >= whole) return null;
  const drop = current.includes(';');
  const pad = (each) => String(each).padStart(2, '0');
  const code = `${pad(filled[0])}:${pad(filled[1])}:${pad(filled[2])}${drop ? ';' : ':'}${pad(filled[3])}`;
  return count(code, whole, drop) - count(timecode || `00:00:00${drop ? ';' : ':'}00`, whole, drop);
}

function partsOf(text) {
  if (/^\d{1,8}$/.test(text)) {
    const digits = text.length % 2 ? `0${text}` : text;
    return digits.match(/\d\d/g).map(Number);
  }
  return /^\d{1,2}([:;.]\d{1,2}){1,3}$/.test(text) ? text.split(/[:;.]/).map(Number) : null;
}

function count(code, whole, drop) {
  const [hours, minutes, seconds, frames] = code.split(/[:;.]/).map(Number);
  const all = ((hours * 60 + minutes) * 60 + seconds) * whole + frames;
  if (!drop) return all;
  const gone = hours * 60 + minutes;
  return all - (whole / 30) * 2 * (gone - Math.floor(gone / 10));
}

/** Set text only where it differs, so that a poll touches nothing that is being read out or selected. */
export function sameText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
