import ActivationPipeline
import FeatureCatalog
import Indexing
import TerminalOutput
import Vocabulary

/// One request on an open catalog.
struct Visit {
    /// The site.
    let site: Site
    /// The catalog, in one state.
    let catalog: Catalog
    /// The catalog's file before it was opened.
    let stamp: FileStamp
    /// What is asked.
    let request: ViewerRequest
    /// All dictionaries, in the order in which they were added.
    let dictionaries: [DictionaryRecord]

    /// - Throws: `CatalogError`.
    init(site: Site, catalog: Catalog, stamp: FileStamp, request: ViewerRequest) throws {
        (self.site, self.catalog, self.stamp, self.request) = (site, catalog, stamp, request)
        dictionaries = try catalog.dictionaries()
    }

    /// The query.
    var query: FormFields { request.query }

    /// How numbers within a sentence are written: data have a hyphen for the minus, as in the terminal.
    var number: (Double) -> String {
        request.wantsJSON ? { Quantities.significant($0) } : { Figure.plain($0) }
    }

    /// A page in its shell, or its data.
    ///
    /// - Throws: `CatalogError`; `ViewerProblem` where the data of a page with a problem is asked for.
    func show(_ page: some Page) throws -> ViewerResponse {
        if request.wantsJSON {
            if let problem = page.problem { throw problem }
            return .json(try page.json)
        }
        let record = dictionaries.first { $0.dictionaryID == page.dictionaryID } ?? dictionaries.last
        let shell = Shell(
            name: site.name, links: try record.map { try links(to: $0) }, words: query["q"] ?? "",
            hasReviews: site.reviews != nil)
        return .page(shell.around(page), status: page.problem?.status ?? 200)
    }

    /// The dictionary in the second part of the path, by name or number.
    ///
    /// - Throws: `CatalogError` `.notFound`.
    func dictionary() throws -> DictionaryRecord {
        try StoredDictionary.record(named: request.path[1], in: catalog)
    }

    /// The index of a dictionary on the corpus that the query names, or the last one; nil for a dictionary without.
    ///
    /// - Throws: `ViewerProblem` 404 for a corpus that it is not indexed on.
    func index(of record: DictionaryRecord) throws -> IndexedDictionary? {
        let corpus = query["corpus"]
        if corpus == nil, try catalog.indexings(dictionaryID: record.dictionaryID).isEmpty { return nil }
        do { return try IndexedDictionary(record, corpus: corpus, in: catalog) } catch let error as WorkflowError {
            throw ViewerProblem(404, ViewerProblem(error).message)
        }
    }

    /// A feature of the path's fourth part.
    func feature(of record: DictionaryRecord) throws -> Int {
        guard let index = Int(digits: request.path[3]), (0..<record.latentCount).contains(index) else {
            throw ViewerProblem(
                404, "there is no feature \(request.path[3]); \(record.name) has 0 … \(record.latentCount - 1)")
        }
        return index
    }

    /// What addresses and forms call a dictionary: its number, or its name where another is called by that number,
    /// since a name comes before a number.
    func reference(to record: DictionaryRecord) -> String {
        let number = "\(record.dictionaryID)"
        let isTaken = dictionaries.contains { $0.name == number && $0.dictionaryID != record.dictionaryID }
        return isTaken ? record.name : number
    }

    /// The addresses of a dictionary's pages. Of a dictionary with several indexes they name the corpus: the one that
    /// the request names, if it is indexed on it, else the last.
    func links(to record: DictionaryRecord) throws -> DictionaryLinks {
        let name = reference(to: record)
        let indexed = try catalog.indexings(dictionaryID: record.dictionaryID).map(\.key.corpusID)
        guard indexed.count > 1, let last = indexed.last else { return DictionaryLinks(name: name, corpus: nil) }
        let asked = query["corpus"].flatMap { try? IndexedDictionary(record, corpus: $0, in: catalog) }
        return DictionaryLinks(name: name, corpus: "\(asked?.key.corpusID ?? last)")
    }
}
