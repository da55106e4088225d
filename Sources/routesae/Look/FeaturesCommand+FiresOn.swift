import FeatureCatalog
import Foundation
import Indexing
import TerminalOutput

extension FeaturesCommand {
    /// Lists the features that fire on a text.
    func listFirings(on text: String, in catalog: Catalog) throws {
        Interruption.watch()
        let text = text == "-" ? Self.standardInput() : text
        let search = try FiringSearch(
            text: text, model: model ?? "", dictionary: index.dictionary, in: catalog, workers: options.workers)
        let listing = try listingOfFirings(search.record, in: catalog)
        let allowed = try listing?.featuresLeft(in: catalog)
        // Rows and a progress line would interleave.
        let sharesTerminal = byToken && output.format != .table && TerminalStyle.standardOutput().isTerminal
        let progress = RunProgress(label: "reading", isQuiet: options.quiet || sharesTerminal)
        defer { progress.finish() }
        if byToken {
            try listByToken(search, listing, among: allowed, progress: progress, in: catalog)
        } else {
            let found = try search.run(
                cancelled: { Interruption.isRequested },
                progress: { done, total in Self.show(done, of: total, on: progress) })
            progress.finish()
            try list(found.filter { allowed?.contains($0.featureIndex) ?? true }, listing, in: catalog)
        }
    }

    /// The conditions and columns; nil for a dictionary without an index.
    private func listingOfFirings(_ record: DictionaryRecord, in catalog: Catalog) throws -> FeatureListing? {
        let isPlain = conditions.isEmpty && layers == nil && minScore == nil && !aboveChance && token == nil && !alive
        if isPlain, columns == nil, index.corpus == nil,
            try catalog.indexings(dictionaryID: record.dictionaryID).isEmpty
        {
            StandardStreams.remark(
                "dictionary \"\(record.name)\" is not indexed: what its features reach elsewhere is not known")
            return nil
        }

        var listing = try listing(of: try index.find(in: catalog), in: catalog)
        if columns == nil {
            let known = try SummaryColumns(of: catalog)
            listing.columns = byToken ? [] : [try known.named("top_token"), try known.named("explanation")]
        }
        listing.columns.removeAll { $0.name == "feature_index" }
        return listing
    }

    /// A row for every feature.
    private func list(_ found: [FeatureFirings], _ listing: FeatureListing?, in catalog: Catalog) throws {
        let largest = try largestActivations(listing, in: catalog)
        let shares = found.map { firings in
            largest[firings.featureIndex].flatMap { $0 > 0 ? Double(firings.activation) / $0 : nil }
        }

        var order = try FiringOrder(sort ?? "share")
        order.isAscending = ascending
        let sorted = found.indices.sorted { order.places(found[$0], shares[$0], before: found[$1], shares[$1]) }
        let shown = sorted.dropFirst(offset).prefix(most ?? .max)
        let values = try listing?.values(of: shown.map { found[$0].featureIndex }, in: catalog) ?? [:]
        let columns = listing?.columns.map(\.name) ?? ["top_token", "explanation"]
        output.print(
            columns: ["feature_index", "activation", "share", "token", "position", "layer", "n_tokens"] + columns,
            rows: shown.map { place in
                let firings = found[place]
                return [
                    Cell(firings.featureIndex), .real(Double(firings.activation)), Cell(shares[place]),
                    .text(firings.token), Cell(firings.position), Cell(firings.layer), Cell(firings.tokenCount),
                ] + cells(of: firings.featureIndex, in: values, count: columns.count)
            })
        guard output.format == .table, shown.count < found.count else { return }
        StandardStreams.remark(
            "\(shown.count) of \(Quantities.count(found.count)) features that fire; --limit and --offset show others")
    }

    /// A row for every token and feature, printed as they are found.
    private func listByToken(
        _ search: FiringSearch, _ listing: FeatureListing?, among allowed: Set<Int>?, progress: RunProgress,
        in catalog: Catalog
    ) throws {
        let columns = listing?.columns ?? []
        var printer = output.printer(
            columns: ["position", "token", "layer", "router_weight", "feature_index", "activation"]
                + columns.map(\.name))
        _ = try search.run(
            cancelled: { Interruption.isRequested },
            progress: { done, total in Self.show(done, of: total, on: progress) },
            eachToken: { place in
                let firings = place.firings.filter { allowed?.contains($0.featureIndex) ?? true }.prefix(most ?? .max)
                let values =
                    columns.isEmpty ? [:] : try listing?.values(of: firings.map(\.featureIndex), in: catalog) ?? [:]
                for firing in firings {
                    printer.append(
                        [
                            Cell(place.position), .text(place.token), Cell(place.layer), Cell(place.routerWeight),
                            Cell(firing.featureIndex), .real(Double(firing.activation)),
                        ] + cells(of: firing.featureIndex, in: values, count: columns.count))
                }
            })
        progress.finish()
        printer.finish()
    }

    private func cells(of feature: Int, in values: [Int: [CatalogValue]], count: Int) -> [Cell] {
        values[feature]?.map(Cell.init) ?? Array(repeating: .null, count: count)
    }

    /// The strongest activation of each feature in the corpus.
    private func largestActivations(_ listing: FeatureListing?, in catalog: Catalog) throws -> [Int: Double] {
        try listing.map { try catalog.largestActivations($0.key) } ?? [:]
    }

    /// Shows progress; a text of one batch is read too fast for that.
    private static func show(_ done: Int, of total: Int, on progress: RunProgress) {
        if total > 8192 { progress.update(done, of: total) }
    }

    /// All of standard input; bytes that are not UTF-8 become U+FFFD.
    private static func standardInput() -> String {
        String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
    }
}
