// Types of what the server sends and Streamlit passes, for the comments of the other modules. No code.

/**
 * A view's end of a Streamlit component. `data` is what the page's Python passes; a trigger starts a run of its script.
 *
 * @template Data
 * @typedef {object} Component
 * @property {HTMLElement} parentElement
 * @property {Data} data
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

/**
 * A subclip, as `/api/collections/ID` lists it. Seconds and frames count from the video's first frame shown.
 *
 * @typedef {object} Subclip
 * @property {number} id
 * @property {number} revision Grows with each change.
 * @property {number} collection
 * @property {number | null} segment The segment that it was made of; null once the video has left the library.
 * @property {number | null} video
 * @property {string} name '' where a person has given none.
 * @property {string} title The name, else that of the file.
 * @property {string} note
 * @property {string} fileName
 * @property {string} path
 * @property {boolean} missing Whether the file cannot be found now.
 * @property {number} start Seconds.
 * @property {number} end Seconds.
 * @property {number} start_pts
 * @property {number} end_pts
 * @property {number} video_start_pts
 * @property {number} video_end_pts
 * @property {[number, number]} time_base Seconds of one pts step, as a fraction.
 * @property {[number, number]} rate Frames a second, as a fraction.
 * @property {string} timecode The video's start code, or ''.
 * @property {number} in_frame
 * @property {number} out_frame The first frame after the subclip.
 * @property {number | null} score
 * @property {string | null} poster Address of its picture.
 */

/**
 * A subclip to be added: a whole segment, or a range of its video.
 *
 * @typedef {object} NewSubclip
 * @property {number} segment
 * @property {number} [start_pts]
 * @property {number} [end_pts]
 * @property {number} [score]
 */

/**
 * A collection in the list of all.
 *
 * @typedef {object} CollectionRow
 * @property {number} id
 * @property {string} name
 * @property {number} revision Grows with each change.
 * @property {number} items Number of its subclips.
 * @property {boolean} [own] It is the tray of the person who is logged in, and of nobody else.
 */

/**
 * A collection with its subclips, in order.
 *
 * @typedef {object} Collection
 * @property {number} id
 * @property {string} name
 * @property {number} revision
 * @property {Subclip[]} subclips
 */

/**
 * A search saved under a name, as `/api/searches` lists it.
 *
 * @typedef {object} SavedSearch
 * @property {number} id
 * @property {string} name
 * @property {string} link The query string of the Search page's address.
 * @property {string} created_at
 * @property {string} [text_id] The text encoder that it was made with; empty if that is not known.
 * @property {string} [note] Said where that is not the page's own.
 */

/**
 * A segment and its video, as `/api/segment/ID` sends them. Seconds count from the video's first frame shown.
 *
 * @typedef {object} SegmentInfo
 * @property {number} id
 * @property {number} video
 * @property {string} name File name.
 * @property {string} path
 * @property {string} folder
 * @property {boolean} missing Whether the file cannot be found now.
 * @property {number} shot Number of its shot, from 0.
 * @property {number} part Which part of its shot it is, from 1.
 * @property {number} part_count Number of the parts of its shot; 1 for a whole shot.
 * @property {number} start Seconds.
 * @property {number} end Seconds.
 * @property {number} start_pts
 * @property {number} end_pts
 * @property {number} video_start_pts
 * @property {number} video_end_pts
 * @property {[number, number]} time_base Seconds of one pts step, as a fraction.
 * @property {[number, number]} rate Frames a second, as a fraction.
 * @property {string} timecode The video's start code, or ''.
 * @property {number} duration Seconds of the video.
 * @property {number} width
 * @property {number} height
 * @property {boolean | null} playable Whether browsers are likely to play the file itself; null where that is not known.
 * @property {boolean} [has_text] Whether the library has words of the video, with times.
 */

/**
 * A source of a video's words, as `/api/text/VIDEO` lists it.
 *
 * @typedef {object} TextTrack
 * @property {number} id
 * @property {'subtitle' | 'speech' | 'screen' | 'chapter'} kind
 * @property {string} language BCP 47, such as "en"; '' where it is not known.
 * @property {string} title
 * @property {string} origin Which of the video's sources it is: "track 3", "Film.en.srt"; '' where there is but one.
 * @property {string} engine What recognised the words; '' for those that a file holds.
 * @property {boolean} default Whether the file says that players show it unless told otherwise.
 * @property {boolean} forced Whether it has only what must be read in any case.
 * @property {boolean} for_deaf Whether it describes sounds, too.
 * @property {number} lines Number of its lines.
 */

/**
 * A line of a transcript. Seconds count from the video's first frame shown.
 *
 * @typedef {object} TextLine
 * @property {number} id
 * @property {number} source Id of its track.
 * @property {number} start
 * @property {number} end
 * @property {string} text Rows are separated by line feeds.
 * @property {number | null} segment The one that is shown when it begins.
 */

/**
 * Lines that begin within a stretch of time, as `/api/text/VIDEO/lines` sends them, by start.
 *
 * @typedef {object} LinePage
 * @property {TextLine[]} lines
 * @property {number | null} next Seconds at which the next stretch begins; null after the last.
 */

/**
 * Frames of a stretch of a video, as `/api/frames/ID` lists them: ascending, each in both lists.
 *
 * @typedef {object} FrameList
 * @property {number[]} pts
 * @property {number[]} seconds Counted from the video's first frame shown.
 */

/**
 * A segment of the same video as another, as `/api/neighbours/ID` lists them.
 *
 * @typedef {object} Neighbour
 * @property {number} id
 * @property {number} start Seconds.
 * @property {number} end Seconds.
 * @property {number} number Of the segment in its video, from 0.
 * @property {number} part Which part of its shot it is, from 1.
 * @property {number} part_count Number of the parts of its shot; 1 for a whole shot.
 */

/**
 * A copy of a stretch of a video that any browser plays, as `/api/proxy/ID` describes it.
 *
 * @typedef {object} ProxyState
 * @property {'none' | 'making' | 'ready' | 'failed'} state
 * @property {number} progress 0 to 1.
 * @property {string | null} url Where it is, once it is ready.
 * @property {number} offset Seconds of the video at which it begins.
 * @property {number} duration Seconds.
 * @property {string | null} error A sentence, where it failed.
 */

/**
 * The stretch of a hit's shot that answers the search, as `/api/moment/ID` sends it.
 *
 * @typedef {object} Moment
 * @property {number} start_seconds Seconds from the video's first frame shown.
 * @property {number} end_seconds
 * @property {number} start_pts
 * @property {number} end_pts
 * @property {boolean} is_whole Whether nothing stands out in what was looked through: then it is all of it.
 * @property {string | null} note A warning about its direction.
 * @property {number} seconds Time that finding it took.
 * @property {{from: number, to: number} | null} preview Where it lies in the preview of the hit, from 0 to 1; null outside it.
 */

/**
 * A range of a video, from the start of its first frame to the end of its last.
 *
 * @typedef {object} PtsRange
 * @property {number} start_pts
 * @property {number} end_pts
 */

/**
 * A line of the person's own questions, as `/api/questions` lists it: a question, and a place that answers it.
 *
 * @typedef {object} QuestionLine
 * @property {string} key Names the line until it changes.
 * @property {string} question
 * @property {string} file File name; '' where nothing in the library answers it.
 * @property {string} path
 * @property {number | null} start Seconds; null where the library has no such place.
 * @property {number | null} end Seconds.
 * @property {number | null} segment A part of the answer, to be played.
 * @property {string} trouble Sentence that says why there is no such place, or ''.
 */

/**
 * The questions of a library, as `/api/questions` lists them: the newest lines first.
 *
 * @typedef {object} QuestionList
 * @property {string} path Of their file.
 * @property {string} command That measures them.
 * @property {number} total Number of all lines.
 * @property {number} questions Number of questions with answers.
 * @property {number} none Number of questions that nothing in the library answers.
 * @property {QuestionLine[]} lines
 */

/**
 * A shot that was drawn at random, as `/api/questions/draw` sends it.
 *
 * @typedef {object} DrawnShot
 * @property {{segment: number, start: number, end: number} | null} shot Its first part and its seconds; null without any.
 * @property {number} seed Of the order that it is from.
 * @property {number} number Its place in the order, from 1.
 * @property {number} count Number of shots.
 */

/**
 * A segment that the player can open.
 *
 * @typedef {object} PlayerItem
 * @property {number} id
 * @property {number} [score]
 * @property {number} [from] Seconds to play from, and on past its end; by default it is played from its start to its end.
 * @property {number} [source] The track of words to show beside it, of those of what is said.
 */

export {};
