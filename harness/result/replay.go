package result

// KindReplay is a file for run --replay, as text.
const KindReplay = "replay"
