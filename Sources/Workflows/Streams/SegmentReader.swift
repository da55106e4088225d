import LinearAlgebra
import SparseTraining

/// Delivers a corpus's segments, document after document: in order, or in a seeded order that is drawn anew for every
/// pass.
struct SegmentReader {
    let corpus: TextCorpus
    let segmenter: Segmenter
    private var order: [Int]
    private var position = 0
    private var generator: CounterGenerator?
    /// Segments of the document at hand that are still to come, the last one first.
    private var pending: [TokenSegment] = []
    private var pendingDocument = 0
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
            pendingDocument = order[position]
            pending = try segments(of: pendingDocument)
            seen += 1
            position += 1
            if position == order.count { startOver() }
        }
        return pending.removeLast()
    }

    private func segments(of document: Int) throws -> [TokenSegment] {
        segmenter.segments(of: try corpus.document(document).text, document: document).segments.reversed()
    }

    private mutating func startOver() {
        position = 0
        passes += 1
        generator?.shuffle(&order)
    }

    /// The pass, the place in it, and what is left of the document at hand.
    var numbers: [String: UInt64] {
        [
            "passes": UInt64(passes), "document_place": UInt64(position), "document": UInt64(pendingDocument),
            "segments_left": UInt64(pending.count),
        ]
    }

    /// Takes up a place; the passes' orders are drawn again.
    mutating func resume(at place: StreamPosition) throws {
        let wanted = try place.number("passes", upTo: 1 << 40)
        while passes < wanted { startOver() }
        position = try place.number("document_place", upTo: order.count - 1)
        pendingDocument = try place.number("document", upTo: order.count - 1)
        let all = try segments(of: pendingDocument)
        pending = Array(all.prefix(try place.number("segments_left", upTo: all.count)))
    }
}
