import FeatureCatalog
import Indexing

/// Computes the keys of windows and passages (`FiringPlace`) of an indexed catalog from its documents' tokens.
final class PassageKeys {
    private let catalog: Catalog
    /// Tokens of a window.
    private let windowLength: Int
    private var documents: [Int64: [Int32]] = [:]
    private var heldTokens = 0
    private var passages: [Int64: UInt64] = [:]

    /// Tokens of documents that are cached.
    private static let mostTokens = 1 << 24

    init(catalog: Catalog, windowLength: Int) {
        self.catalog = catalog
        // A foreign catalog may say anything.
        self.windowLength = min(max(windowLength, 1), 1 << 20)
    }

    /// The key of the window around a context's peak.
    ///
    /// - Throws: `CatalogError`; `.damaged` if the document does not hold the passage.
    func window(of context: PlacedContext) throws -> UInt64 {
        let passage = context.passageTokens
        let position = context.tokenPosition - passage.lowerBound
        let window = ContextWindow.range(around: position, in: passage.count, length: windowLength)
        let tokens = try tokens(of: context)
        let range = passage.lowerBound + window.lowerBound..<passage.lowerBound + window.upperBound
        return FiringPlace.textKey(tokens[range])
    }

    /// The key of the passage that holds a context.
    ///
    /// - Throws: as `window(of:)`.
    func passage(of context: PlacedContext) throws -> UInt64 {
        if let known = passages[context.entry.passageID] { return known }
        let key = FiringPlace.textKey(try tokens(of: context)[context.passageTokens])
        passages[context.entry.passageID] = key
        return key
    }

    private func tokens(of context: PlacedContext) throws -> [Int32] {
        let tokens = try document(context.documentID)
        guard context.passageTokens.upperBound <= tokens.count else {
            throw CatalogError(
                .damaged, "\(catalog.path): passage \(context.entry.passageID) ends after its document")
        }
        return tokens
    }

    private func document(_ documentID: Int64) throws -> [Int32] {
        if let known = documents[documentID] { return known }
        let tokens = try catalog.document(documentID).tokenIDs
        if heldTokens + tokens.count > Self.mostTokens {
            documents = [:]
            heldTokens = 0
        }
        documents[documentID] = tokens
        heldTokens += tokens.count
        return tokens
    }
}
