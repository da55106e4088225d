package import ActivationPipeline
package import FeatureCatalog

/// One token of a context's window.
package struct ContextToken {
    /// Its number in the vocabulary.
    package let tokenID: Int
    /// Its text; bytes that are not UTF-8 by themselves appear as U+FFFD.
    package let text: String
    /// Its exact bytes where the text cannot hold them.
    package let bytes: [UInt8]?
}

/// Rebuilds the tokens of contexts from the documents they come from.
package struct ContextTokens {
    private let catalog: Catalog
    private let languageModelID: Int64?

    package init(catalog: Catalog, dictionary: IndexedDictionary) throws {
        self.catalog = catalog
        let corpus = try catalog.corpora().first { $0.corpusID == dictionary.key.corpusID }
        languageModelID = corpus?.languageModelID ?? dictionary.record.languageModelID
    }

    /// The tokens of every context's window, by the context's key; left out where the catalog does not hold them.
    package func windows(of contexts: [ContextRecord]) throws -> [Int64: [ContextToken]] {
        guard languageModelID != nil else { return [:] }
        var identifiers: [Int64: [Int32]] = [:]
        // Document by document, since one may be long.
        for (documentID, group) in Dictionary(grouping: contexts, by: \.documentID) {
            let all = try catalog.document(documentID).tokenIDs
            for context in group {
                let (end, isOverflow) = context.windowStart.addingReportingOverflow(context.activations.count)
                guard !isOverflow, context.windowStart >= 0, end <= all.count else { continue }
                identifiers[context.contextID] = Array(all[context.windowStart..<end])
            }
        }

        let known = try vocabulary(Set(identifiers.values.joined().map { Int($0) }))
        return identifiers.compactMapValues { window in
            let tokens = window.compactMap { known[Int($0)] }
            return tokens.count == window.count ? tokens : nil
        }
    }

    /// The entries of some tokens.
    package func vocabulary(_ tokenIDs: some Collection<Int>) throws -> [Int: ContextToken] {
        guard let languageModelID, !tokenIDs.isEmpty else { return [:] }
        let tokens = try catalog.tokens(languageModelID: languageModelID, tokenIDs: Array(tokenIDs))
        return Dictionary(
            tokens.map { ($0.tokenID, ContextToken(tokenID: $0.tokenID, text: $0.text, bytes: $0.bytes)) },
            uniquingKeysWith: { first, _ in first })
    }
}
