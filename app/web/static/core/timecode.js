// SMPTE time codes, frame numbers, and times as text. Every view counts frames and formats times with this module; the
// edit lists use app/timelines/timecode.py, and tests/timecode_table.json holds both to the same values.
//
// A label names a frame by hours, minutes, seconds and frames. At 29.97 frames a second it counts 30 of them, and so runs
// slower than the clock. Drop-frame counting makes up for it: it leaves out the first labels of each minute but every
// tenth (two at 29.97, four at 59.94). No frame is left out. It is written with a semicolon: 01:00:00;02. Recorders also
// count so at exactly 30 and 60; at other rates the semicolon means nothing. Labels start again after 24 hours.

const LABEL = /^(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})$/;
const MINUTES_OF_DAY = 24 * 60;

/**
 * Return how many frames labels count in a second: 30 at 29.97.
 *
 * @param {number} rate Frames a second.
 * @returns {number}
 */
export function timebase(rate) {
  return Math.max(1, Math.round(rate));
}

/**
 * Return how many labels each frame takes: two at 12.5 frames a second, which labels count at 25; mostly one.
 *
 * @param {number} rate Frames a second, each counted once.
 * @returns {number}
 */
export function labelsPerFrame(rate) {
  if (isCountable(rate)) return 1;
  return [2, 3, 4].find((times) => rate * times < 60 + 1e-4 && isCountable(rate * times)) ?? 1;
}

/**
 * Return whether drop-frame counting exists at a rate: 29.97, 30, 59.94, 60 and their multiples.
 *
 * @param {number} rate Frames a second.
 * @returns {boolean}
 */
export function canDrop(rate) {
  const base = timebase(rate);
  const whole = Math.abs(rate - base) < 1e-6 * base;
  return base % 30 === 0 && (whole || Math.abs(rate - (base * 1000) / 1001) < 1e-6 * base);
}

/**
 * Read a label.
 *
 * @param {string} text `01:00:00:12`, or `01:00:00;12` for drop-frame (where the rate has it).
 * @param {number} rate Frames a second.
 * @returns {{frames: number, drop: boolean} | null} Frames since 00:00:00:00, and whether labels are dropped. A label that
 *   drop-frame counting leaves out means the next one. null where the text is no label at this rate.
 */
export function parseTimecode(text, rate) {
  const match = text.trim().match(LABEL);
  if (!match) return null;
  const [hours, minutes, seconds, frame] = [1, 2, 3, 5].map((group) => Number(match[group]));
  const base = timebase(rate);
  if (hours > 23 || minutes > 59 || seconds > 59 || frame >= base) return null;
  const drop = match[4] !== ':' && canDrop(rate);
  const dropped = droppedLabels(base, drop);
  const shown = minutes % 10 && seconds === 0 ? Math.max(frame, dropped) : frame;
  const minute = 60 * hours + minutes;
  return { frames: (60 * minute + seconds) * base + shown - dropped * (minute - Math.floor(minute / 10)), drop };
}

/**
 * Format a frame as a label.
 *
 * @param {number} frames Frames since 00:00:00:00; whole days are taken off.
 * @param {number} rate Frames a second.
 * @param {boolean} [drop] Whether labels are dropped; ignored where the rate has no drop-frame counting.
 * @returns {string} `01:00:00:12`, or `01:00:00;12` where labels are dropped.
 */
export function formatTimecode(frames, rate, drop = false) {
  const base = timebase(rate);
  const dropping = drop && canDrop(rate);
  const dropped = droppedLabels(base, dropping);
  const tenMinutes = 600 * base - 9 * dropped;
  const ofDay = modulo(frames, framesOfDay(rate, dropping));
  const [tens, rest] = [Math.floor(ofDay / tenMinutes), ofDay % tenMinutes];
  // The first minute of ten is whole; each of the others lacks the labels that it leaves out.
  const number = 600 * base * tens + rest + dropped * Math.max(0, Math.floor((rest - dropped) / (60 * base - dropped)));
  const seconds = Math.floor(number / base);
  return `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}${dropping ? ';' : ':'}${pad(number % base)}`;
}

/**
 * Format a frame of a video as a label, counted on from the video's own start code.
 *
 * @param {number} frame Counted from the video's first frame shown.
 * @param {number} rate Frames a second.
 * @param {string} [start] The video's start code; '' or one that is no label at this rate counts from 00:00:00:00.
 * @returns {string}
 */
export function timecodeAt(frame, rate, start = '') {
  const each = labelsPerFrame(rate);
  const first = parseTimecode(start, rate * each);
  return formatTimecode((first?.frames ?? 0) + frame * each, rate * each, first?.drop ?? false);
}

/**
 * Format a number of frames as a label, in drop-frame where the video counts so. Hours go on beyond 24.
 *
 * @param {number} frames
 * @param {number} rate Frames a second.
 * @param {string} [start] The video's start code, or ''.
 * @returns {string}
 */
export function durationTimecode(frames, rate, start = '') {
  const each = labelsPerFrame(rate);
  const drop = parseTimecode(start, rate * each)?.drop ?? false;
  const days = Math.floor(Math.max(0, frames * each) / framesOfDay(rate * each, drop));
  const [hours, ...rest] = formatTimecode(frames * each, rate * each, drop).split(/(?=[:;])/);
  return `${pad(24 * days + Number(hours))}${rest.join('')}`;
}

/**
 * Return the number of the frame at a time, as edit lists count: the nearest one, halfway between two the later one.
 *
 * @param {number} seconds
 * @param {number} rate Frames a second.
 * @returns {number}
 */
export function frameNumber(seconds, rate) {
  return Math.floor(seconds * rate + 0.5 + 1e-6);
}

/**
 * Read the frame that a person typed. Accepted are a label (leading parts that are missing are those of `now`), digits
 * alone (the last two are frames), `+12` and `-1:00` from `now`, and `#1200` or `1200f` for the number of a frame.
 *
 * @param {string} text
 * @param {object} context
 * @param {number} context.now The current frame, counted from the video's first.
 * @param {number} context.rate Frames a second.
 * @param {string} [context.timecode] The video's start code, or ''.
 * @returns {number | null} Frames from the video's first, which may lie outside the video; null where it is none of these.
 */
export function frameFromText(text, { now, rate, timecode = '' }) {
  const typed = text.trim();
  const number = typed.match(/^(?:#\s*(\d{1,9})|(\d{1,9})\s*f)$/i);
  if (number) return Number(number[1] ?? number[2]);
  const signed = typed.match(/^([+-])\s*(.+)$/);
  const parts = typedParts(signed ? signed[2] : typed);
  if (!parts) return null;
  const each = labelsPerFrame(rate);
  const labels = rate * each;
  if (signed) {
    const [hours, minutes, seconds, frames] = [...Array(4 - parts.length).fill(0), ...parts];
    // A number alone is one of frames; with seconds before it, it is that of a label.
    const passed = (3600 * hours + 60 * minutes + seconds) * timebase(labels) + frames;
    const by = parts.length === 1 ? frames : Math.floor(passed / each);
    return now + (signed[1] === '-' ? -by : by);
  }
  const current = timecodeAt(now, rate, timecode);
  const label = [...current.split(/[:;]/).slice(0, 4 - parts.length), ...parts.map((part) => pad(part))];
  const found = parseTimecode(`${label.slice(0, 3).join(':')}${current.includes(';') ? ';' : ':'}${label[3]}`, labels);
  if (!found) return null;
  const at = found.frames - (parseTimecode(timecode, labels)?.frames ?? 0);
  // A label before the start code is of the next day; the second one of a frame is that frame's, too.
  return Math.floor((at < 0 ? at + framesOfDay(labels, found.drop) : at) / each);
}

/**
 * Return the whole milliseconds of a time, as app/times.py does; what is left over is cut off. Rounded up and typed back,
 * the start of a frame would leave that frame out.
 *
 * @param {number} seconds
 * @returns {number}
 */
export function wholeMilliseconds(seconds) {
  return Math.floor(seconds * 1000 + 1e-4); // computed times of one moment differ by less
}

/**
 * Format a time as hh:mm:ss.mmm, cut to whole milliseconds.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function clock(seconds) {
  const whole = wholeMilliseconds(Math.max(0, seconds));
  return `${pad(Math.floor(whole / 3600000))}:${pad(Math.floor(whole / 60000) % 60)}:${pad(Math.floor(whole / 1000) % 60)}.${pad(whole % 1000, 3)}`;
}

/**
 * Format a duration to be read at a glance: 3.2 s, 1:05, 1:02:05.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function durationText(seconds) {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}:${pad(whole % 60)}`;
  return `${Math.floor(whole / 3600)}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
}

/**
 * Format a time for an axis: 0:04.5, 1:05, 1:02:05.
 *
 * @param {number} seconds
 * @param {number} [step] Seconds between two marks; below 1, tenths are shown.
 * @returns {string}
 */
export function timeText(seconds, step = 1) {
  const digits = step < 1 ? 1 : 0;
  const unit = 10 ** digits;
  const whole = Math.round(seconds * unit);
  const minutes = Math.floor(whole / (60 * unit));
  const second = ((whole % (60 * unit)) / unit).toFixed(digits).padStart(digits ? 4 : 2, '0');
  if (minutes < 60) return `${minutes}:${second}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${second}`;
}

/**
 * Format a frame rate with up to three decimals: 25, 23.976.
 *
 * @param {number} rate Frames a second.
 * @returns {string}
 */
export function rateText(rate) {
  return String(Math.round(rate * 1000) / 1000);
}

/**
 * Return whether a rate has labels: whole, or a whole one times 1000/1001.
 *
 * @param {number} rate Frames a second.
 * @returns {boolean}
 */
function isCountable(rate) {
  const base = timebase(rate);
  return [base, (base * 1000) / 1001].some((exact) => Math.abs(rate - exact) < 1e-6 * base);
}

/**
 * Return how many labels most minutes leave out.
 *
 * @param {number} base Labels of a second.
 * @param {boolean} drop
 * @returns {number}
 */
function droppedLabels(base, drop) {
  return drop ? base / 15 : 0;
}

/**
 * Return how many frames have a label of their own, until the labels start again.
 *
 * @param {number} rate Frames a second.
 * @param {boolean} drop
 * @returns {number}
 */
function framesOfDay(rate, drop) {
  const base = timebase(rate);
  return (600 * base - 9 * droppedLabels(base, drop)) * (MINUTES_OF_DAY / 10);
}

/**
 * Return the parts of a typed label as numbers, hours first; those in front may be missing.
 *
 * @param {string} text
 * @returns {number[] | null}
 */
function typedParts(text) {
  if (/^\d{1,8}$/.test(text)) {
    const digits = text.length % 2 ? `0${text}` : text;
    return digits.match(/\d\d/g)?.map(Number) ?? null;
  }
  return /^\d{1,2}([:;.]\d{1,2}){0,2}[:;.]\d{1,3}$/.test(text) ? text.split(/[:;.]/).map(Number) : null;
}

/**
 * Return the remainder that is not negative.
 *
 * @param {number} value
 * @param {number} divisor
 * @returns {number}
 */
function modulo(value, divisor) {
  return ((value % divisor) + divisor) % divisor;
}

/**
 * @param {number} number
 * @param {number} [width] Digits.
 * @returns {string}
 */
function pad(number, width = 2) {
  return String(number).padStart(width, '0');
}
