"""Text in pictures to lines with times: which frames to read, reading, merging over time.

frame_times     the frames of a shot that are worth reading, and more of them where text changes
rapid           PP-OCR on ONNX Runtime, by rapidocr (extra `ocr`)
models          the models in rapidocr's wheel: found, verified
merging         what frames show, as lines with a beginning and an end
same_text       whether two readings are of one text, though the engine misread a letter
"""
