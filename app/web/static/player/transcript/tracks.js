// Tracks of a transcript: which of the sources of a video's words are shown, and what they are called.

/** @typedef {import('../../core/types.js').TextTrack} TextTrack */

/** What a line is, as its label says. @type {Record<TextTrack['kind'], string>} */
export const KINDS = { subtitle: 'Subtitle', speech: 'Speech', screen: 'On screen', chapter: 'Chapter' };

/**
 * Return the tracks of what is said: one of them is shown at a time.
 *
 * @param {TextTrack[]} tracks
 * @returns {TextTrack[]} Those that files hold before those that were recognised.
 */
export function spokenTracks(tracks) {
  return ['subtitle', 'speech'].flatMap((kind) => tracks.filter((each) => each.kind === kind));
}

/**
 * Return the track to show at first.
 *
 * @param {TextTrack[]} spoken Of `spokenTracks`.
 * @param {string[]} languages In the order of liking, such as `['de-CH', 'en']`.
 * @returns {TextTrack | null} null where there is none.
 */
export function bestTrack(spoken, languages) {
  const whole = spoken.filter((each) => !each.forced);
  const candidates = whole.length ? whole : spoken;
  for (const language of languages) {
    const [wanted] = language.toLowerCase().split('-');
    const found = candidates.find((each) => each.language.toLowerCase().split('-')[0] === wanted);
    if (wanted && found) return found;
  }
  return candidates.find((each) => each.default) ?? candidates[0] ?? null;
}

/**
 * Return the name of a language in the language of the page, as "English" for "en".
 *
 * @param {string} language BCP 47; '' where it is not known.
 * @returns {string} The code itself where it is none that the browser knows.
 */
export function languageName(language) {
  try {
    return (language && new Intl.DisplayNames('en', { type: 'language' }).of(language)) || language;
  } catch {
    return language; // not a code at all
  }
}

/**
 * Return what tracks are called in a list of them, each by another name.
 *
 * @param {TextTrack[]} tracks
 * @returns {string[]}
 */
export function trackNames(tracks) {
  const short = tracks.map((each) => {
    const about = [KINDS[each.kind].toLowerCase(), each.forced && 'forced', each.for_deaf && 'for the deaf'];
    return `${languageName(each.language) || each.title || 'Unknown language'} (${about.filter(Boolean).join(', ')})`;
  });
  const long = tracks.map((each, at) =>
    short.filter((name) => name === short[at]).length > 1
      ? [short[at], each.title || each.engine || each.origin].filter(Boolean).join(' · ')
      : short[at],
  );
  return long.map((name, at) =>
    long.indexOf(name) === at ? name : `${name} · ${long.slice(0, at + 1).filter((each) => each === name).length}`,
  );
}
