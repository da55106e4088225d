import ActivationPipeline
import CatalogViewer
import FeatureCatalog
import Foundation
import LinearAlgebra
import TestSupport
import Testing

/// The pages as a folder.
@Suite struct HTMLExportTests {
    private let world: HostileWorld
    private let directory: TemporaryDirectory

    init() throws {
        world = try HostileWorld()
        directory = try TemporaryDirectory()
    }

    @discardableResult private func export(
        to name: String, threads: Int = 2, corpus: String? = nil, dictionary: String? = nil,
        cancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> HTMLExport.Result {
        try HTMLExport(dictionary: dictionary, corpus: corpus, folder: directory.file(name)).run(
            on: world.path, workers: Workers(threads: threads), spelling: { PublicMessage.plain($0) },
            cancelled: cancelled)
    }

    private func text(_ file: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: directory.file(file))), as: UTF8.self)
    }

    private func files(_ folder: String) throws -> [String] {
        let all = try #require(FileManager.default.enumerator(atPath: directory.file(folder)))
        return all.compactMap { $0 as? String }.filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: directory.file("\(folder)/\($0)"), isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }

    /// The JSON of a script of data, unpacked by the system's gzip.
    private func data(_ file: String) throws -> Any {
        let script = try text(file)
        let name = try #require(script.firstMatch(of: /^routesae\.take\("([^"]*)","([A-Za-z0-9+\/=]*)"\);\n$/))
        #expect(file.hasSuffix("\(name.1).js"))
        let packed = directory.file("packed-\(UUID().uuidString).gz")
        try #require(Data(base64Encoded: String(name.2))).write(to: URL(filePath: packed))
        let unpack = Process()
        unpack.executableURL = URL(filePath: "/bin/gzip")
        unpack.arguments = ["-d", packed]
        try unpack.run()
        unpack.waitUntilExit()
        #expect(unpack.terminationStatus == 0)
        let bytes = try Data(contentsOf: URL(filePath: String(packed.dropLast(3))))
        return try JSONSerialization.jsonObject(with: bytes, options: .fragmentsAllowed)
    }

    /// All markup of a folder, by the file whose links it has.
    private func markup(_ folder: String) throws -> [(file: String, markup: String)] {
        try files(folder).flatMap { file -> [(file: String, markup: String)] in
            if file.hasSuffix(".html") { return [(file, try text("\(folder)/\(file)"))] }
            let place = file.split(separator: "/").prefix(2).joined(separator: "/")
            if file.contains("/data/pages-") {
                let pages = try #require(try data("\(folder)/\(file)") as? [String])
                return pages.map { ("\(place)/feature.html", $0) }
            }
            if file.contains("/data/rows-") {
                return [("\(place)/features.html", try #require(try data("\(folder)/\(file)") as? String))]
            }
            return []
        }
    }

    @Test func everyLinkLeadsToAFile() throws {
        let result = try export(to: "site")
        #expect(try result.fileCount == files("site").count && result.featureCount == 30)
        #expect(try text("site/index.html").contains("<main id=\"main\">"))
        var count = 0
        for (file, markup) in try markup("site") {
            let folder = URL(filePath: directory.file("site/\(file)")).deletingLastPathComponent()
            for found in markup.matches(of: /(?:href|src|action)="([^"]*)"/) {
                let link = found.1.split(omittingEmptySubsequences: false) { $0 == "?" || $0 == "#" }[0]
                if found.1.hasPrefix("#") { continue }
                #expect(!link.hasPrefix("/") && !link.contains(":"), "\(file): \(link)")
                let target = folder.appending(path: String(link)).standardizedFileURL.path
                #expect(FileManager.default.fileExists(atPath: target), "\(file) leads to \(link)")
                count += 1
            }
            #expect(!markup.contains("this page as JSON") && !markup.contains(">passage</a>"), "\(file)")
            #expect(!markup.contains("<script>") && !markup.contains(HostileWorld.attribute), "\(file)")
            #expect(markup.matches(of: /<[^>]*\s(?:on\w+|style)\s*=/).isEmpty, "\(file)")
        }
        #expect(count > 300)
    }

    /// The text of a feature's page, without what only leads to pages that a folder lacks.
    private static func words(_ markup: some StringProtocol) -> String {
        String(markup).replacing(/<a [^>]*>passage<\/a>/, with: "")
            .replacing(/<p><a[^>]*>All contexts kept<\/a>/, with: "")
            .replacing(/<[^>]*>/, with: "").filter { !$0.isWhitespace }
    }

    @Test func featuresAreWhatTheServerShows() async throws {
        try export(to: "site")
        let shown = try markup("site").filter { $0.file.hasSuffix("feature.html") && !$0.markup.contains("<!doctype") }
        #expect(shown.count == 30)
        try await ServedCatalog.serve(world.path) { port in
            for (number, page) in shown.enumerated() {
                let reply = try await HTTPClient.ask("/dictionaries/1/features/\(number)", port: port).text
                let main = try #require(reply.firstMatch(of: /(?s)<main id="main">(.*)<\/main>/))
                #expect(Self.words(page.markup) == Self.words(main.1), "\(number)")
            }
        }
    }

    @Test func theIndexHoldsWhatSQLSays() throws {
        try export(to: "site")
        let index = try #require(try data("site/dictionaries/1/data/index.js") as? [String: Any])
        let catalog = try Catalog.open(at: world.path, mode: .readOnly)
        let rows = try catalog.rows(
            sql: """
                SELECT feature_index, max_activation, firing_rate, top_token FROM feature_summary
                WHERE dictionary_id = 1 ORDER BY max_activation DESC NULLS LAST, feature_index
                """
        ).rows
        #expect(
            index["order"] as? [Int]
                == rows.compactMap { if case .integer(let number) = $0[0] { Int(number) } else { nil } })
        let columns = try #require(index["columns"] as? [String: [Any]])
        for row in rows {
            guard case .integer(let feature) = row[0] else { continue }
            if case .real(let rate) = row[2] { #expect(columns["firing_rate"]?[Int(feature)] as? Double == rate) }
            if case .text(let token) = row[3] { #expect(columns["top_token"]?[Int(feature)] as? String == token) }
        }
        // The rows lie in that order, 40 to a script.
        let list = try #require(try data("site/dictionaries/1/data/rows-0.js") as? String)
        let numbers = list.matches(of: /<li><a class="id"[^>]*>(\d+)</).compactMap { Int($0.1) }
        #expect(numbers == index["order"] as? [Int])
    }

    @Test func threadsChangeNothing() throws {
        try export(to: "one", threads: 1)
        try export(to: "four", threads: 4)
        #expect(try files("one") == files("four"))
        for file in try files("one") { #expect(try text("one/\(file)") == text("four/\(file)"), "\(file)") }
    }

    @Test func aCatalogThatChangesMeanwhileLeavesNothing() throws {
        let path = world.path
        let export = HTMLExport(dictionary: nil, corpus: nil, folder: directory.file("site"))
        let error = #expect(throws: CatalogError.self) {
            try export.run(
                on: path, workers: Workers(threads: 1), spelling: { $0 },
                progress: { _, _ in
                    // What a writer leaves of itself in WAL mode.
                    _ = FileManager.default.createFile(atPath: path + "-wal", contents: Data(count: 1))
                })
        }
        #expect(error?.code == .busy)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test func whatCannotBeLeavesNothing() throws {
        try FileManager.default.createDirectory(atPath: directory.file("there"), withIntermediateDirectories: false)
        #expect(throws: WorkflowError.self) { try export(to: "there") }
        #expect(throws: (any Error).self) { try export(to: "site", dictionary: "nobody") }
        #expect(throws: (any Error).self) { try export(to: "site", corpus: "nowhere") }
        #expect(throws: WorkflowError.self) { try export(to: "site", cancelled: { true }) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["there"])
        #expect(try files("there").isEmpty)
    }
}
