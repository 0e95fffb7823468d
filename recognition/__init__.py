"""Words that nobody wrote down: speech recognised in the sound, text read in the pictures.

    from recognition.speech.models import SPEECH_MODELS, find_model
    from recognition.speech.whisper import WhisperTranscriber
    transcriber = WhisperTranscriber(find_model("small", fetch), threads=2)
    for passage in transcriber.transcribe(blocks):      # float32 (n,) at 16 kHz, one after the other
        passage.lines, passage.language, passage.end_ms

    from recognition.screen.rapid import RapidTextReader
    reader = RapidTextReader(threads=2)
    reader.read(frame)                                  # uint8 (H, W, 3) RGB -> FoundText: text, confidence, box

    protocol       what engines promise: Transcriber, TextReader, and the records that they return
    models         what is said of a model before it is downloaded, and the function that downloads it
    speech/        passages between pauses, Whisper by faster-whisper, filters against invented phrases
    screen/        which frames to read, PP-OCR by rapidocr, merging of what frames show into lines with times

Engines come with the extras `speech` and `ocr`. Importing this room, or making an engine, loads none of them: an engine
loads its library and model in `prepare`, or when it is first used. Each takes a number of threads from its caller, who
divides the cores of the machine between these engines, torch and decoders.
"""
