import ActivationPipeline
import CatalogViewer
import FeatureCatalog
import Foundation
import GRDB
import Indexing
import TestSupport
import Testing

/// Verdicts given in a browser.
@Suite struct ReviewTests {
    private static let page = "/review?dictionary=1&reviewer=ada&sample=4&seed=7"
    private let world: HostileWorld

    init() throws {
        world = try HostileWorld()
    }

    /// The verdicts in the file, by feature.
    private static func reviews(_ path: String) throws -> [ReviewRecord] {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        return try (0..<HostileWorld.latents).flatMap { try catalog.reviews(dictionaryID: 1, featureIndex: $0) }
    }

    /// The fields that a form sends back besides what a person fills in.
    private static func hidden(_ page: String) -> [(name: String, value: String)] {
        page.matches(of: /<input type="hidden" name="([^"]+)" value="([^"]*)">/).map { (String($0.1), String($0.2)) }
    }

    private static func form(_ fields: [(name: String, value: String)]) -> String {
        fields.map { $0.name + "=" + ($0.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "") }
            .joined(separator: "&")
    }

    private static func post(
        _ fields: [(name: String, value: String)], port: UInt16, origin: String? = nil, also headers: [String] = []
    ) async throws -> HTTPClient.Reply {
        try await HTTPClient.ask(
            "/review", port: port, method: "POST",
            headers: ["Origin: \(origin ?? "http://127.0.0.1:\(port)")"] + headers, body: form(fields))
    }

    /// Features, judged one after another, are those that the command asks for, and verdicts its rows.
    @Test func verdictsAreRowsOfTheCatalog() async throws {
        let path = world.path
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        let index = try IndexedDictionary(named: "1", in: catalog)
        let expected = try ReviewSample(of: index, count: 4, seed: 7, in: catalog).features
        try catalog.close()
        try await ServedCatalog.serve(path, change: { $0.review = true }) { port in
            #expect(try await HTTPClient.ask("/", port: port).text.contains("href=\"/review"))
            #expect(try await HTTPClient.ask("/review", port: port).text.contains("name=\"reviewer\" required"))
            var next = Self.page
            var judged: [Int] = []
            for (place, verdict) in [5, 3, 1].enumerated() {
                let page = try await HTTPClient.ask(next, port: port).text
                #expect(page.contains("\(4 - place) of 4 features"), "\(page)")
                // Blind: no explanation, no score, no number.
                #expect(!page.contains("kings") && !page.contains("simulation") && !page.contains("Feature "))
                #expect(page.contains("class=\"contexts\"") && page.contains("class=\"a9 pk\""))
                let fields = Self.hidden(page)
                judged.append(try #require(fields.first { $0.name == "feature" }.flatMap { Int($0.value) }))
                // The last hidden fields are those of the form that takes the verdict before back.
                let own = fields.prefix { $0.name != "feature" } + [("feature", "\(judged[place])")]
                let reply = try await Self.post(
                    own + [("verdict", "\(verdict)")]
                        + (place == 0 ? [("category", "high-level"), ("note", "a <b>note</b> & more")] : []),
                    port: port)
                #expect(reply.status == 303, "\(reply.text)")
                next = try #require(reply.headers["location"])
                #expect(next.hasPrefix("/review?") && next.contains("last="))
            }
            #expect(judged == Array(expected.prefix(3)))
            let reviews = try Self.reviews(path).filter { $0.reviewer == "ada" }
            #expect(Set(reviews.map(\.featureIndex)) == Set(judged))
            let first = try #require(reviews.first { $0.featureIndex == judged[0] })
            #expect(first.verdict == 5 && first.category == .highLevel && first.note == "a <b>note</b> & more")
            #expect(first.explanationID == nil && first.createdAt != nil)
            #expect(reviews.first { $0.featureIndex == judged[2] }?.category == nil)

            // Taken back once, and asked again.
            let page = try await HTTPClient.ask(next, port: port).text
            let undo = Self.hidden(page).drop { $0.name != "feature" }.dropFirst()
            #expect(undo.contains { $0.name == "undo" })
            let back = try await Self.post(Array(undo), port: port)
            #expect(back.status == 303)
            #expect(try Self.reviews(path).filter { $0.reviewer == "ada" }.count == 2)
            #expect(try await Self.post(Array(undo), port: port).status == 409)
            let again = try await HTTPClient.ask(try #require(back.headers["location"]), port: port).text
            #expect(Self.hidden(again).contains { $0.name == "feature" && $0.value == "\(judged[2])" })

            // Another person is asked for all; one that is passed over is not judged.
            let other = try await HTTPClient.ask("/review?reviewer=eve&sample=4&seed=7", port: port).text
            #expect(other.contains("4 of 4 features"))
            let skip = "/review?reviewer=eve&features=3,4&skipped=3"
            #expect(Self.hidden(try await HTTPClient.ask(skip, port: port).text).contains { $0 == ("feature", "4") })
            let end = try await HTTPClient.ask("/review?reviewer=eve&features=3&skipped=3", port: port).text
            #expect(end.contains("Nothing is left") && end.contains("skipped"))
        }
        // Verdicts of both kinds count alike, and the file is one again.
        let after = try Catalog.open(at: path, mode: .readOnly)
        #expect(try after.reviewedFeatures(dictionaryID: 1, reviewer: "ada").count == 2)
        #expect(try ReviewSample(of: index, count: 4, seed: 7, in: after).pending(for: "ada", in: after).count == 2)
        try after.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.directory.path) == ["c.sqlite"])
    }

    @Test func whatIsRefusedWritesNothing() async throws {
        let path = world.path
        try await ServedCatalog.serve(path, change: { $0.review = true }) { port in
            let page = try await HTTPClient.ask(Self.page, port: port).text
            let fields = Self.hidden(page)
            let right = fields + [("verdict", "4")]
            let before = try Self.reviews(path)
            func with(_ name: String, _ value: String) -> [(name: String, value: String)] {
                right.filter { $0.name != name } + [(name, value)]
            }
            for (fields, status) in [
                (with("token", "x"), 403), (with("token", ""), 403), (with("verdict", "0"), 400),
                (with("verdict", "6"), 400), (with("verdict", "good"), 400), (with("verdict", ""), 400),
                (with("category", "other"), 400), (with("feature", "9"), 400), (with("feature", "-1"), 400),
                (with("feature", "999"), 400), (with("feature", ""), 400), (with("reviewer", " "), 400),
                (with("reviewer", String(repeating: "x", count: 101)), 400), (with("sample", "0"), 400),
                (with("note", String(repeating: "x", count: 2001)), 413), (with("dictionary", "7"), 404),
                (with("undo", "1"), 409), (with("reviewer", "a\u{1B}[2J"), 400), (with("note", "a\u{7}"), 400),
                (with("verdict", "+4"), 400),
                (with("skipped", (0..<4000).map { "\($0)" }.joined(separator: ",")), 400),
            ] {
                let reply = try await Self.post(fields, port: port)
                #expect(reply.status == status, "\(fields): \(reply.status) \(reply.text)")
            }
            for origin in ["http://evil.example", "null", "http://127.0.0.1", "https://127.0.0.1:\(port)"] {
                #expect(try await Self.post(right, port: port, origin: origin).status == 403)
            }
            for site in ["cross-site", "same-site", "none"] {
                #expect(try await Self.post(right, port: port, also: ["Sec-Fetch-Site: \(site)"]).status == 403)
            }
            #expect(
                try await HTTPClient.ask("/review", port: port, method: "POST", body: Self.form(right)).status == 403)
            // What a link can do.
            #expect(try await HTTPClient.ask("/review?" + Self.form(right), port: port).status == 200)
            #expect(try await HTTPClient.ask("/review?" + Self.form(right), port: port, method: "HEAD").status == 200)
            #expect(try await HTTPClient.ask("/review", port: port, method: "DELETE").status == 405)
            #expect(try Self.reviews(path) == before)
            // The same form as it should be, once.
            #expect(try await Self.post(right, port: port).status == 303)
            #expect(try await Self.post(right, port: port).status == 409)
            #expect(try Self.reviews(path).count == before.count + 1)
        }
    }

    /// Judges a feature.
    ///
    /// - Returns: the receipt for it.
    private static func judge(_ feature: Int, by reviewer: String, port: UInt16) async throws -> String {
        let page = "/review?dictionary=1&reviewer=\(reviewer)&features=\(feature)"
        let fields = hidden(try await HTTPClient.ask(page, port: port).text)
        let reply = try await post(fields + [("verdict", "4")], port: port)
        return try #require(reply.headers["location"]?.firstMatch(of: /last=(\w+)/).map { String($0.1) })
    }

    private static func takeBack(_ receipt: String, by reviewer: String, port: UInt16) async throws -> Int {
        let page = try await HTTPClient.ask("/review?reviewer=\(reviewer)&features=9", port: port).text
        return try await post(
            hidden(page).filter { $0.name != "feature" } + [("undo", receipt)], port: port
        ).status
    }

    /// SQLite gives the key of a deleted row to the next one, which may be another person's.
    @Test func onlyTheVerdictThatWasGivenIsTakenBack() async throws {
        let path = world.path
        try await ServedCatalog.serve(path, change: { $0.review = true }) { port in
            let receipt = try await Self.judge(3, by: "ada", port: port)
            // Another person, also one who knows the receipt, is not asked and takes nothing back.
            let foreign = "/review?reviewer=eve&features=4&last=\(receipt)"
            #expect(try await !HTTPClient.ask(foreign, port: port).text.contains("name=\"undo\""))
            #expect(try await Self.takeBack(receipt, by: "eve", port: port) == 409)
            // Another process takes it away and writes one that gets its key.
            let queue = try DatabaseQueue(path: path)
            let key = try await queue.write { database in
                let key = try Int64.fetchOne(database, sql: "SELECT max(review_id) FROM review")
                try database.execute(sql: "DELETE FROM review WHERE review_id = ?", arguments: [key])
                return key
            }
            try queue.close()
            _ = try await Self.judge(5, by: "eve", port: port)
            let eves = try Self.reviews(path)
            #expect(eves.contains { $0.reviewer == "eve" } && !eves.contains { $0.reviewer == "ada" })
            let other = try DatabaseQueue(path: path)
            let last = try await other.read { try Int64.fetchOne($0, sql: "SELECT max(review_id) FROM review") }
            try other.close()
            #expect(last == key)
            #expect(try await Self.takeBack(receipt, by: "ada", port: port) == 409)
            #expect(try Self.reviews(path) == eves)

            // The same row in another catalog is another row.
            let own = try await Self.judge(6, by: "ada", port: port)
            let both = try Self.reviews(path)
            let third = try DatabaseQueue(path: path)
            try await third.write { try $0.execute(sql: "UPDATE catalog SET uuid = 'another'") }
            try third.close()
            #expect(try await Self.takeBack(own, by: "ada", port: port) == 409)
            #expect(try Self.reviews(path) == both)
        }
    }

    /// A process that has begun to write.
    private static func writer(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
        return queue
    }

    /// While another process writes, a verdict waits, and pages do not.
    @Test func pagesAreAnsweredWhileAVerdictWaits() async throws {
        let path = world.path
        try await ServedCatalog.serve(
            path,
            change: {
                $0.review = true
                $0.limits.writingSeconds = 600
            }
        ) { port in
            let fields = Self.hidden(try await HTTPClient.ask(Self.page, port: port).text)
            let queue = try Self.writer(path)
            async let reply = Self.post(fields + [("verdict", "4")], port: port)
            for _ in 0..<20 { #expect(try await HTTPClient.ask("/dictionaries/1", port: port).status == 200) }
            #expect(try Self.reviews(path).allSatisfy { $0.reviewer != "ada" })
            try await queue.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            try queue.close()
            #expect(try await reply.status == 303)
            #expect(try Self.reviews(path).contains { $0.reviewer == "ada" })
        }
    }

    /// Where the lock stays, the verdict is refused, and may be sent again.
    @Test func aVerdictThatCannotBeWrittenIsRefused() async throws {
        let path = world.path
        try await ServedCatalog.serve(
            path,
            change: {
                $0.review = true
                $0.limits.writingSeconds = 0.2
            }
        ) { port in
            let fields = Self.hidden(try await HTTPClient.ask(Self.page, port: port).text)
            let queue = try Self.writer(path)
            let refused = try await Self.post(fields + [("verdict", "4")], port: port)
            #expect(refused.status == 503 && refused.headers["retry-after"] == "1")
            try await queue.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            try queue.close()
            #expect(try await Self.post(fields + [("verdict", "4")], port: port).status == 303)
        }
    }

    /// Without review nothing is written, whatever is posted.
    @Test func withoutReviewNothingIsWritten() async throws {
        let path = world.path
        let before = try Data(contentsOf: URL(filePath: path))
        try await ServedCatalog.serve(path) { port in
            let get = try await HTTPClient.ask(Self.page, port: port)
            #expect(get.status == 404 && get.text.contains("routesae serve CATALOG review"))
            let prompt = try await HTTPClient.ask("/prompt", port: port).text
            #expect(!prompt.contains("href=\"/review"))
            let reply = try await Self.post(
                [("reviewer", "ada"), ("dictionary", "1"), ("feature", "1"), ("verdict", "4")], port: port)
            #expect(reply.status == 403)
        }
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
    }

    /// Many verdicts at once and pages beside them are all answered.
    @Test func verdictsAtOnceAreAllWritten() async throws {
        let path = world.path
        try await ServedCatalog.serve(path, change: { $0.review = true }) { port in
            let all = (0..<8).map(String.init).joined(separator: ",")
            let page = try await HTTPClient.ask("/review?reviewer=ada&features=\(all)", port: port).text
            let fields = Self.hidden(page).filter { $0.name != "feature" }
            try await withThrowingTaskGroup(of: Int.self) { group in
                for feature in 0..<8 {
                    group.addTask {
                        try await Self.post(fields + [("feature", "\(feature)"), ("verdict", "2")], port: port).status
                    }
                    group.addTask { try await HTTPClient.ask("/dictionaries/1", port: port).status == 200 ? 303 : 0 }
                }
                for try await status in group { #expect(status == 303) }
            }
            #expect(try Self.reviews(path).filter { $0.reviewer == "ada" }.count == 8)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.directory.path) == ["c.sqlite"])
    }
}
