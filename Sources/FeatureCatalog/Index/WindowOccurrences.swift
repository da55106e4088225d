import GRDB
import RandomNumbers

/// Counts how often windows of text occur in a corpus, for `feature_context.n_occurrences`.
///
/// A window of full length occurs wherever its tokens stand in a document; a shorter one, which is a whole passage,
/// wherever a passage has exactly its tokens. Two passes over the documents, one document in memory at a time;
/// besides, it holds every window being counted and the positions of the corpus's passages.
package final class WindowOccurrences {
    /// Identifies tokens: a polynomial hash modulo 2⁶⁴, with their number.
    private struct Text: Hashable {
        let hash: UInt64
        let count: Int32
    }

    private struct Passage {
        let first: Int
        let count: Int
    }

    private struct Place: Hashable {
        let passage: Int64
        /// The window's first token in the passage.
        let start: Int32
    }

    private let catalog: Catalog
    private let window: Int
    private var passages: [Int64: Passage] = [:]
    private var documents: [Int64: [Int64]] = [:]
    private var texts: [Place: Text] = [:]
    private var counts: [Text: Int] = [:]

    /// - Parameter window: Tokens of a context's window, as ``IndexingRecord/window``.
    /// - Throws: ``CatalogError`` `.damaged` for an impossible window or passage.
    package init(catalog: Catalog, corpusID: Int64, window: Int) throws(CatalogError) {
        guard (1...OtherActivations.maximumWindowLength).contains(window) else {
            throw CatalogError(.damaged, "\(catalog.path): windows of \(window) tokens")
        }
        self.catalog = catalog
        self.window = window
        let rows = try catalog.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT p.passage_id, p.document_id, p.first_token, p.n_tokens
                    FROM document AS d JOIN passage AS p USING (document_id)
                    WHERE d.corpus_id = ? ORDER BY d.document_id, p.first_token
                    """,
                arguments: [corpusID]
            ).map {
                (try $0.value(0) as Int64, try $0.value(1) as Int64, try $0.value(2) as Int, try $0.value(3) as Int)
            }
        }
        for (passage, document, first, count) in rows {
            guard (0..<Int.max / 2).contains(first), (1..<Int.max / 2).contains(count) else {
                throw CatalogError(.damaged, "\(catalog.path): passage \(passage) lies beyond all documents")
            }
            passages[passage] = Passage(first: first, count: count)
            documents[document, default: []].append(passage)
        }
    }

    /// Adds the window around a token to those being counted.
    package func add(passageID: Int64, position: Int) {
        guard let place = place(passageID, position) else { return }
        texts[place] = Text(hash: 0, count: 0)
    }

    /// Counts the added windows.
    ///
    /// - Throws: ``CatalogError`` `.damaged` if a document's tokens cannot be read.
    package func count() throws(CatalogError) {
        let added = Dictionary(grouping: texts.keys, by: \.passage)
        for (document, passageIDs) in documents where passageIDs.contains(where: { added[$0] != nil }) {
            let tokens = try TokenHashes(catalog.document(document).tokenIDs)
            for passageID in passageIDs {
                guard let passage = passages[passageID] else { continue }
                for place in added[passageID] ?? [] {
                    let start = passage.first + Int(place.start)
                    let text = try text(start..<start + min(window, passage.count), of: tokens, in: document)
                    texts[place] = text
                    counts[text] = 0
                }
            }
        }
        for (document, passageIDs) in documents {
            let tokens = try TokenHashes(catalog.document(document).tokenIDs)
            if tokens.count >= window {
                for start in 0...tokens.count - window {
                    count(Text(hash: tokens.hash(start..<start + window), count: Int32(clamping: window)))
                }
            }
            for passageID in passageIDs {
                guard let passage = passages[passageID], passage.count < window else { continue }
                count(try text(passage.first..<passage.first + passage.count, of: tokens, in: document))
            }
        }
    }

    private func count(_ text: Text) {
        guard let index = counts.index(forKey: text) else { return }
        counts.values[index] += 1
    }

    /// Occurrences of an added window; nil for another.
    package func count(passageID: Int64, position: Int) -> Int? {
        guard let place = place(passageID, position), let text = texts[place], let count = counts[text], count > 0
        else {
            return nil
        }
        return count
    }

    private func place(_ passageID: Int64, _ position: Int) -> Place? {
        guard let passage = passages[passageID], (0..<passage.count).contains(position) else { return nil }
        let range = ContextWindow.range(around: position, in: passage.count, length: window)
        return Place(passage: passageID, start: Int32(clamping: range.lowerBound))
    }

    private func text(_ range: Range<Int>, of tokens: TokenHashes, in document: Int64) throws(CatalogError) -> Text {
        guard range.lowerBound >= 0, range.upperBound <= tokens.count else {
            throw CatalogError(.damaged, "\(catalog.path): a passage reaches beyond document \(document)")
        }
        return Text(hash: tokens.hash(range), count: Int32(clamping: range.count))
    }
}

/// Hashes of all subsequences of a document.
private struct TokenHashes {
    private static let base: UInt64 = 0x9E37_79B9_7F4A_7C15
    /// Of the first tokens, none to all.
    private var prefixes: [UInt64] = [0]
    /// Powers of the base.
    private var powers: [UInt64] = [1]

    let count: Int

    init(_ tokens: [Int32]) {
        count = tokens.count
        prefixes.reserveCapacity(count + 1)
        powers.reserveCapacity(count + 1)
        for token in tokens {
            // Neighbouring ids far apart.
            let mixed = SplitMix64.mixed(UInt64(UInt32(bitPattern: token)) &+ 1)
            prefixes.append(prefixes[prefixes.count - 1] &* Self.base &+ mixed)
            powers.append(powers[powers.count - 1] &* Self.base)
        }
    }

    func hash(_ range: Range<Int>) -> UInt64 {
        prefixes[range.upperBound] &- prefixes[range.lowerBound] &* powers[range.count]
    }
}
