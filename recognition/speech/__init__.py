"""Speech to lines with words: sound is cut at pauses, passages are recognised one by one, invented phrases left out.

passages        a stream of sound, cut at pauses; the loop that every engine shares
models          the published models, their files and pins; a folder that holds one
whisper         Whisper on CTranslate2, by faster-whisper (extra `speech`)
invented        filters against phrases that nobody said
"""
