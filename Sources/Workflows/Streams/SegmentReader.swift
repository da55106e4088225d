import LinearAlgebra

/// Delivers a corpus's segments, document after document: in order, or in a seeded order that is drawn anew for every
/// pass.
struct SegmentReader {
    let corpus: TextCorpus
    let segmenter: Segmenter
    private var order: [Int]
    private var position = 0
    private var generator: CounterGenerator?
    private var pending: [TokenSegment] = []
    /// How often the corpus has been read to its end.
    private(set) var passes = 0

    init(corpus: TextCorpus, segmenter: Segmenter, shuffleSeed: UInt64?) {
        self.corpus = corpus
        self.segmenter = segmenter
        order = Array(0..<corpus.count)
        generator = shuffleSeed.map { CounterGenerator(seed: $0, stream: "documents") }
        generator?.shuffle(&order)
    }

    /// The next segment; starts over at the end.
    ///
    /// - Throws: `WorkflowError.badInput` for a damaged record, or if a whole pass held no token.
    mutating func next() throws -> TokenSegment {
        var seen = 0
        while pending.isEmpty {
            guard seen <= order.count else {
                throw WorkflowError.badInput(path: corpus.files[0].path, problem: "the text holds no tokens")
            }
            let document = order[position]
            pending = segmenter.segments(of: try corpus.document(document).text, document: document).segments.reversed()
            seen += 1
            position += 1
            if position == order.count {
                position = 0
                passes += 1
                generator?.shuffle(&order)
            }
        }
        return pending.removeLast()
    }
}
