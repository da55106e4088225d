import ActivationPipeline
import FeatureCatalog
import Foundation
import Interchange
import JSON
import LinearAlgebra
import Synchronization

/// The files of an export of pages while they are written.
final class StaticFolder: Sendable {
    private let site: Site
    private let chosen: [IndexedDictionary]
    private let corpus: String?
    /// Features whose pages are in one script.
    private let shard = 32
    /// Rows of a page of the list.
    private let listed = FeatureListPage.rowCount
    private let folder: String
    private let cancelled: @Sendable () -> Bool
    private let links: StaticLinks
    private let written = Mutex<(files: Int, bytes: Int)>((0, 0))

    init(
        site: Site, chosen: [IndexedDictionary], corpus: String?, folder: String,
        cancelled: @escaping @Sendable () -> Bool
    ) {
        (self.site, self.chosen, self.corpus) = (site, chosen, corpus)
        (self.folder, self.cancelled) = (folder, cancelled)
        links = StaticLinks(
            dictionaries: Set(chosen.map(\.key.dictionaryID)),
            corpora: Dictionary(
                chosen.map { ($0.key.dictionaryID, $0.key.corpusID) }, uniquingKeysWith: { first, _ in first }),
            searched: chosen.last?.key.dictionaryID)
    }

    /// Writes all of it.
    ///
    /// - Throws: `WorkflowError`, `CatalogError`.
    func write(
        from catalog: Catalog, workers: Workers, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
    ) throws -> HTMLExport.Result {
        for name in ["style.css", "script.js", "map.js", "icon.svg"] {
            try write(site.answer(ViewerRequest(path: "/" + name, query: "")).body, to: name)
        }
        try write(PackageResources.static_js, to: "static.js")
        try writePage("/", to: "index.html", from: catalog)
        try makeFolder("runs")
        for run in try catalog.runs() {
            try writePage("/runs/\(run.runID)", to: "runs/\(run.runID).html", from: catalog)
        }
        for record in try catalog.dictionaries() {
            try makeFolder("dictionaries/\(record.dictionaryID)")
            try writePage(
                "/dictionaries/\(record.dictionaryID)", to: "dictionaries/\(record.dictionaryID)/index.html",
                from: catalog)
        }
        let total = chosen.reduce(0) { $0 + $1.record.latentCount }
        let done = Mutex(0)
        for index in chosen {
            try write(index, from: catalog, workers: workers) { count in
                progress(
                    done.withLock { done in
                        done += count
                        return done
                    }, total)
            }
        }
        let sums = written.withLock { $0 }
        return HTMLExport.Result(
            dictionaryCount: chosen.count, featureCount: total, fileCount: sums.files, byteCount: sums.bytes)
    }

    /// Writes the list and the features of a dictionary.
    private func write(
        _ index: IndexedDictionary, from catalog: Catalog, workers: Workers,
        progress: @escaping @Sendable (_ features: Int) -> Void
    ) throws {
        let (dictionaryID, count) = (index.key.dictionaryID, index.record.latentCount)
        let top = "dictionaries/\(dictionaryID)"
        try makeFolder(top + "/data")
        let content = try StaticIndex(index.key, count: count, in: catalog)
        try write(ScriptedData.script("data/index", content.json), to: top + "/data/index.js")
        try writePage(
            "/dictionaries/\(dictionaryID)/features", to: top + "/features.html", from: catalog, scripted: "list",
            count: count)
        let map = "/dictionaries/\(dictionaryID)/map"
        try writePage(map, to: top + "/map.html", from: catalog, scripted: "map")
        try write(
            ScriptedData.script("data/map", JSONParser.parse(Data(try answer(map + ".json", from: catalog)))),
            to: top + "/data/map.js"
        )
        let first = try page("/dictionaries/\(dictionaryID)/features/0", from: catalog)
        let shell = first.replacing(
            main(of: first), with: "<noscript><p>The pages of features need JavaScript.</p></noscript>")
        try write(
            links.relinked(scripted(shell, "feature", count: count), in: top + "/feature.html"),
            to: top + "/feature.html")

        let (shards, lists) = ((count + shard - 1) / shard, (count + listed - 1) / listed)
        // One for each thread, open for all of its pages.
        let catalogs = try (0..<workers.count).map { _ in try Catalog.open(at: catalog.path, mode: .readOnly) }
        defer { for catalog in catalogs { _ = try? catalog.close() } }
        let failure = Mutex<(any Error)?>(nil)
        workers.forEach(tiles: shards + lists) { number, worker in
            guard failure.withLock({ $0 == nil }) else { return }
            do {
                if cancelled() { throw WorkflowError.interrupted("the export was stopped; nothing was written") }
                if number < shards {
                    let features = number * shard..<min((number + 1) * shard, count)
                    try write(features, as: "data/pages-\(number)", of: dictionaryID, from: catalogs[worker], to: top)
                    progress(features.count)
                } else {
                    try writeRows(number - shards, of: dictionaryID, from: catalogs[worker], to: top)
                }
            } catch { failure.withLock { $0 = $0 ?? error } }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Writes the pages of some features.
    private func write(
        _ features: Range<Int>, as name: String, of dictionaryID: Int64, from catalog: Catalog, to top: String
    ) throws {
        let pages = try features.map { feature -> JSONValue in
            let markup = main(of: try page("/dictionaries/\(dictionaryID)/features/\(feature)", from: catalog))
            return .string(links.relinked(markup, in: top + "/feature.html"))
        }
        try write(ScriptedData.script(name, .array(pages)), to: "\(top)/\(name).js")
    }

    /// Writes the rows of a page of the list as it opens, for every list that shows some of them.
    private func writeRows(
        _ number: Int, of dictionaryID: Int64, from catalog: Catalog, to top: String
    ) throws {
        let list = try page(
            "/dictionaries/\(dictionaryID)/features", "offset=\(number * listed)", from: catalog)
        let bytes = Array(list.utf8)
        guard let start = StaticLinks.place(of: "<ol class=\"rows\">", in: bytes, from: 0),
            let end = StaticLinks.place(of: "</ol>\n", in: bytes, from: start)
        else {
            throw WorkflowError.badInput(path: site.path, problem: "the list of features has no row \(number * listed)")
        }
        let rows = links.relinked(
            String(decoding: bytes[(start + 17)..<end], as: UTF8.self), in: top + "/features.html")
        try write(ScriptedData.script("data/rows-\(number)", .string(rows)), to: "\(top)/data/rows-\(number).js")
    }

    // MARK: Pages

    /// The server's page of a path, on the chosen corpus.
    private func page(_ path: String, _ fields: String = "", from catalog: Catalog) throws -> String {
        String(decoding: try answer(path, fields, from: catalog), as: UTF8.self)
    }

    private func answer(_ path: String, _ fields: String = "", from catalog: Catalog) throws -> [UInt8] {
        let isOfFeatures = path.contains("/features") || path.contains("/map")
        var query = fields
        if isOfFeatures, let corpus { query += "&" + Address([], [("corpus", corpus)]).text.dropFirst(2) }
        let response = site.answer(ViewerRequest(path: path, query: query), in: catalog)
        guard response.status == 200 else {
            throw WorkflowError.badInput(path: site.path, problem: "\(path) cannot be shown (\(response.status))")
        }
        return response.body
    }

    /// What a page has between its navigation and its end.
    private func main(of page: String) -> String {
        // By bytes: comparing characters would take a third of the export.
        let bytes = Array(page.utf8)
        guard let start = StaticLinks.place(of: "<main id=\"main\">", in: bytes, from: 0),
            let end = StaticLinks.place(of: "</main>", in: bytes, from: start)
        else { preconditionFailure("a page without its main part") }
        return String(decoding: bytes[(start + 16)..<end], as: UTF8.self)
    }

    /// A page that `static.js` fills.
    private func scripted(_ page: String, _ kind: String, count: Int) -> String {
        page.replacing(
            "<main id=\"main\">",
            with: "<main id=\"main\" data-kind=\"\(kind)\" data-count=\"\(count)\" "
                + "data-shard=\"\(kind == "list" ? listed : shard)\">"
        )
        .replacing("</head>", with: "<script src=\"/static.js\" defer></script></head>")
    }

    private func writePage(
        _ path: String, to file: String, from catalog: Catalog, scripted kind: String? = nil, count: Int = 0
    ) throws {
        var markup = try page(path, from: catalog)
        if let kind { markup = scripted(markup, kind, count: count) }
        try write(links.relinked(markup, in: file), to: file)
    }

    // MARK: Files

    private func makeFolder(_ name: String) throws(WorkflowError) { try NewFile.makeFolder(folder + "/" + name) }

    private func write(_ text: String, to name: String) throws(WorkflowError) { try write(Array(text.utf8), to: name) }

    private func write(_ bytes: [UInt8], to name: String) throws(WorkflowError) {
        try NewFile.write(bytes, to: folder + "/" + name)
        written.withLock { $0 = ($0.files + 1, $0.bytes + bytes.count) }
    }
}
