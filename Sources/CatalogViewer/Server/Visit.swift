import ActivationPipeline
import FeatureCatalog
import Indexing
import Vocabulary

/// One request on an open catalog.
struct Visit {
    /// The site.
    let site: Site
    /// The catalog, in one state.
    let catalog: Catalog
    /// What is asked.
    let request: ViewerRequest

    /// The query.
    var query: FormFields { request.query }

    /// A page in its shell, or its data.
    func show(_ page: some Page) throws -> ViewerResponse {
        if request.wantsJSON { return .json(try page.json) }
        let dictionaryID = try page.dictionaryID ?? catalog.dictionaries().last?.dictionaryID
        let shell = Shell(name: site.name, dictionaryID: dictionaryID, words: query["q"] ?? "")
        return .page(shell.around(page))
    }

    /// The dictionary of a number or a name.
    ///
    /// - Throws: `CatalogError` `.notFound`.
    func dictionary(_ name: String) throws -> DictionaryRecord {
        if let number = Int64(name), let record = try catalog.dictionaries().first(where: { $0.dictionaryID == number })
        {
            return record
        }
        return try catalog.dictionary(named: name)
    }

    /// The dictionary in the second part of the path.
    func dictionary() throws -> DictionaryRecord { try dictionary(request.path[1]) }

    /// The index of a dictionary on the corpus that the query names, or the last one; nil for a dictionary without.
    func index(of record: DictionaryRecord) throws -> IndexedDictionary? {
        guard try !catalog.indexings(dictionaryID: record.dictionaryID).isEmpty else { return nil }
        return try IndexedDictionary(record, corpus: query["corpus"], in: catalog)
    }

    /// A feature of the path's fourth part.
    func feature(of record: DictionaryRecord) throws -> Int {
        guard let index = Int(request.path[3]), (0..<record.latentCount).contains(index) else {
            throw ViewerProblem(
                404, "there is no feature \(request.path[3]); \(record.name) has 0 … \(record.latentCount - 1)")
        }
        return index
    }

    /// What the list and its neighbours say of features: explanation, token, largest activation, layer.
    func names(of features: [Int], _ key: IndexingKey) throws -> [Int: FeatureName] {
        guard !features.isEmpty else { return [:] }
        let known = try SummaryColumns(of: catalog)
        var listing = FeatureListing(key: key)
        listing.columns = try FeatureName.columns.map { try known.named($0) }
        return try listing.values(of: features, in: catalog).mapValues(FeatureName.init)
    }
}

/// How a feature is called: by its explanation, or by what it fires on.
struct FeatureName {
    /// The columns that it is made of.
    static let columns = [
        "explanation", "top_token", "max_activation", "peak_layer", "firing_rate", "simulation_score",
        "simulation_baseline",
    ]

    /// Its newest explanation.
    let explanation: String?
    /// The token class on which it fires most.
    let topToken: String?
    /// Its largest activation.
    let maximum: Double?
    /// The layer in which it fires most.
    let peakLayer: Int?
    /// The share of tokens on which it fires.
    let firingRate: Double?
    /// Its newest simulation score.
    let score: Double?
    /// The baseline of that.
    let baseline: Double?

    init(_ values: [CatalogValue]) {
        (explanation, topToken, maximum) = (values[0].string, values[1].string, values[2].number)
        (peakLayer, firingRate) = (values[3].wholeNumber, values[4].number)
        (score, baseline) = (values[5].number, values[6].number)
    }

    /// The name in a list.
    var short: HTML {
        if let explanation {
            return "<bdi>\(String(explanation.prefix(240)))</bdi>"
        }
        if let topToken { return "<span class=\"dim\">fires on</span> \(TokenText.alone(topToken))" }
        return "<span class=\"none\">never fires</span>"
    }
}
