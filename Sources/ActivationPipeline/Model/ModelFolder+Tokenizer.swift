package import FeatureCatalog
import Tokenization

extension ModelFolder {
    /// The model's key in a catalog: the row with the same weights, renamed if a name was given, or a new row with its
    /// vocabulary.
    ///
    /// - Throws: `WorkflowError.refused` where the catalog knows the weights with another tokenizer; `CatalogError`.
    package func languageModelID(in catalog: Catalog) throws -> Int64 {
        let known = try catalog.languageModels().filter { try hasWeights($0.sha256) }
        try checkTokenizer(against: known, in: catalog)
        if let same = known.first(where: { $0.name == name }) ?? known.first {
            if let givenName { try catalog.renameLanguageModel(same.languageModelID, to: givenName) }
            return same.languageModelID
        }

        let modelID = try catalog.addLanguageModel(try record())
        try catalog.addTokens(languageModelID: modelID, tokenizer.records)
        return modelID
    }

    /// Checks that the tokenizer is that of one of a catalog's models, if there are any.
    /// It is compared by what it does and not by its file. Versions up to 0.1 noted the digest of the file; where only
    /// that is known, a file with the same tokens is accepted as the same.
    ///
    /// - Throws: `WorkflowError.refused` naming the first token that differs.
    package func checkTokenizer(against models: [LanguageModelRecord], in catalog: Catalog) throws {
        var refusal: WorkflowError?
        for model in models {
            guard let problem = try tokenizerDifference(from: model, in: catalog) else { return }
            refusal =
                refusal
                ?? .refused(
                    "\(path): has the weights of \(model.name) in \(catalog.path), and another tokenizer: \(problem); "
                        + "give the model the tokenizer it had")
        }
        if let refusal { throw refusal }
    }

    /// How the tokenizer differs from that of a catalog's model; nil if it does not, as far as can be told.
    private func tokenizerDifference(from model: LanguageModelRecord, in catalog: Catalog) throws -> String? {
        guard let recorded = model.tokenizerSHA256, recorded != identity.tokenization().digest else { return nil }
        if try recorded == identity.file(path + "/tokenizer.json").digest { return nil }
        let tokens = try catalog.tokens(languageModelID: model.languageModelID)
        if let difference = firstDifference(from: tokens) { return difference }
        let isFormer = try catalog.runs().contains { run in
            try catalog.runInputs(run.runID).contains { $0.role == "model" && $0.name.hasSuffix(".safetensors") }
        }
        if !tokens.isEmpty, isFormer { return nil }
        return tokens.isEmpty
            ? "its digest is \(identity.tokenization().digest.prefix(12))…, not \(recorded.prefix(12))…"
            : "all tokens are the same, but not how a text becomes tokens (merges, splitting, normalization or what is put "
                + "before a text)"
    }

    /// The first token that is not the same in a catalog's vocabulary; nil if it is empty or all are.
    private func firstDifference(from tokens: [TokenRecord]) -> String? {
        guard let largest = tokens.last?.tokenID else { return nil }
        var stored = tokens[...]
        for id in 0..<max(largest + 1, tokenizer.vocabularySize) {
            let own = tokenizer.bytes(of: TokenID(id))
            var there: [UInt8] = []
            if stored.first?.tokenID == id, let token = stored.popFirst() {
                there = token.bytes ?? Array(token.text.utf8)
            }
            guard own != there else { continue }
            return "token \(id) is \(Self.named(own)) in it, and \(Self.named(there)) in the catalog"
        }
        return nil
    }

    private static func named(_ bytes: [UInt8]) -> String {
        guard !bytes.isEmpty else { return "nothing" }
        let text = String(decoding: bytes.prefix(40), as: UTF8.self)
        return "\"" + text + (bytes.count > 40 ? "…\"" : "\"")
    }
}
