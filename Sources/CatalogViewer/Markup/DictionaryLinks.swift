import Vocabulary

/// The addresses of a dictionary's pages, all on the same of its corpora. `Visit` makes them.
struct DictionaryLinks: Sendable {
    /// The dictionary as addresses name it.
    let name: String
    /// The corpus as addresses name it; nil where the dictionary is not indexed on several.
    let corpus: String?

    /// The field of the corpus.
    var fields: [(name: String, value: String)] { corpus.map { [("corpus", $0)] } ?? [] }

    /// The dictionary's page.
    var dictionary: Address { Address(["dictionaries", name], fields) }

    /// The list of its features.
    func features(_ choice: [(name: String, value: String)] = []) -> Address {
        Address(["dictionaries", name, "features"], choice + fields)
    }

    /// A feature's page.
    func feature(_ index: Int) -> Address { Address(["dictionaries", name, "features", "\(index)"], fields) }

    /// The map of its features.
    var map: Address { Address(["dictionaries", name, "map"], fields) }

    /// The passage of a context.
    func context(_ feature: Int, _ band: ContextBand, _ rank: Int) -> Address {
        Address(["dictionaries", name, "features", "\(feature)", "contexts", band.rawValue, "\(rank)"], fields)
    }

    /// Where texts are read through it.
    var prompt: Address { Address(["prompt"], [("dictionary", name)]) }

    /// Where texts are continued with a feature steered.
    func steering(_ index: Int) -> Address {
        prompt.with("feature", "\(index)").at("steer")
    }

    /// The same on another of its corpora.
    func on(corpus corpusID: Int64) -> DictionaryLinks { DictionaryLinks(name: name, corpus: "\(corpusID)") }
}
