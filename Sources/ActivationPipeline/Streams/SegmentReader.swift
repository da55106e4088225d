import Crypto
import Foundation
import LinearAlgebra
import SparseTraining

/// Delivers a corpus's segments, document after document: in order, or in a seeded order that is drawn for every
/// pass.
package struct SegmentReader {
    let corpus: TextCorpus
    let segmenter: Segmenter
    private var order: [Int]
    private var position = 0
    private var generator: CounterGenerator?
    /// Remaining segments of the current document, the last one first.
    private var pending: [TokenSegment] = []
    private var pendingDocument = 0
    /// How often the corpus has been read to its end.
    private(set) var passes = 0
    /// The digest of the texts read so far in the first pass, in order; nil once it is unknown.
    private var textRead: TextReadDigest? = TextReadDigest()

    package init(corpus: TextCorpus, segmenter: Segmenter, shuffleSeed: UInt64?) {
        self.corpus = corpus
        self.segmenter = segmenter
        order = Array(0..<corpus.count)
        generator = shuffleSeed.map { CounterGenerator(seed: $0, stream: "documents") }
        generator?.shuffle(&order)
    }

    /// The next segment; starts over at the end.
    ///
    /// - Throws: `WorkflowError.badInput` for a damaged record, or if a whole pass held no token.
    package mutating func next() throws -> TokenSegment {
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

    private mutating func segments(of document: Int) throws -> [TokenSegment] {
        let text = try corpus.document(document).text
        if passes == 0 { textRead?.add(text) }
        return segmenter.segments(of: text, document: document).reversed()
    }

    private mutating func startOver() {
        position = 0
        passes += 1
        generator?.shuffle(&order)
    }

    /// The position as numbers: pass, document, and what is left of the current document.
    var numbers: [String: UInt64] {
        [
            "passes": UInt64(passes), "document_place": UInt64(position), "document": UInt64(pendingDocument),
            "segments_left": UInt64(pending.count), "documents": UInt64(order.count),
        ].merging(textRead?.numbers ?? [:]) { $1 }
    }

    /// Resumes at a position; the orders of the passes are drawn again.
    mutating func resume(at place: StreamPosition) throws {
        textRead = nil
        let wanted = try place.number("passes", upTo: 1 << 40)
        while passes < wanted { startOver() }
        position = try place.number("document_place", upTo: order.count - 1)
        pendingDocument = try place.number("document", upTo: order.count - 1)
        let all = try segments(of: pendingDocument)
        pending = Array(all.prefix(try place.number("segments_left", upTo: all.count)))
        textRead = TextReadDigest(place.numbers)
    }

    /// Whether a corpus agrees with the one that a reader had read up to a position, so that reading can resume: the
    /// documents read are the same, and the rest comes in the same order.
    ///
    /// - Parameter numbers: those of the reader; see `numbers`.
    package static func hasRead(
        _ numbers: [String: UInt64], of corpus: TextCorpus, shuffleSeed: UInt64?
    ) throws -> Bool {
        guard let wanted = TextReadDigest(numbers), let count = numbers["documents"], let passes = numbers["passes"],
            let place = numbers["document_place"]
        else { return false }
        // The order is drawn for a number of documents; where nothing is drawn, there may be others behind.
        guard shuffleSeed == nil && passes == 0 ? corpus.count > place : corpus.count == Int(clamping: count) else {
            return false
        }

        var order = Array(0..<corpus.count)
        var generator = shuffleSeed.map { CounterGenerator(seed: $0, stream: "documents") }
        generator?.shuffle(&order)
        var found = TextReadDigest()
        for document in order.prefix(passes == 0 ? Int(clamping: place) : corpus.count) {
            found.add(try corpus.document(document).text)
        }
        return found == wanted
    }
}
