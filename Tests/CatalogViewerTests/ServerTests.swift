import ActivationPipeline
import CatalogViewer
import Foundation
import GRDB
import LinearAlgebra
import TestSupport
import Testing

/// What the server lets in, and what it answers to the rest.
@Suite struct ServerTests {
    private let world: HostileWorld

    init() throws {
        world = try HostileWorld()
    }

    @Test func unknownPagesAreNotFound() async throws {
        let directory = world.directory.path
        try await ServedCatalog.serve(world.path) { port in
            for path in [
                "/nope", "/dictionaries/7", "/dictionaries/x", "/dictionaries/1/features/30",
                "/dictionaries/1/features/-1", "/dictionaries/1/features/+3", "/runs/+1",
                "/dictionaries/1/features/0/contexts/top/+0", "/dictionaries/1/features/99999999999999999999",
                "/dictionaries/1/features/0/contexts/top/77", "/dictionaries/1/features/0/contexts/nope/0",
                "/dictionaries/9223372036854775807/features", "/runs/9", "/runs/x", "/dictionaries/%FF", "/a/b/c/d/e/f",
                "/dictionaries/1/features/0?corpus=9", "/dictionaries/1/features?corpus=zz",
                "/dictionaries/1?corpus=zz",
                "/dictionaries/1/features/0/contexts/top/0?corpus=zz", "/review",
            ] {
                for json in ["", ".json"] {
                    let parts = path.split(separator: "?", omittingEmptySubsequences: false)
                    let query = parts.count > 1 ? "?" + parts[1] : ""
                    let reply = try await HTTPClient.ask(parts[0] + json + query, port: port)
                    #expect(reply.status == 404, "\(path)\(json): \(reply.status)")
                    #expect(json == ".json" || !reply.text.contains("<script>"))
                    #expect(!reply.text.contains(directory), "\(path)")
                    #expect(reply.text.contains("\"error\"") == (json == ".json"), "\(path)")
                }
            }
        }
    }

    @Test func headHasTheHeadersOfGetAndNoBody() async throws {
        try await ServedCatalog.serve(world.path) { port in
            for path in ["/", "/dictionaries/1/features/0", "/style.css", "/nope"] {
                let get = try await HTTPClient.ask(path, port: port)
                let head = try await HTTPClient.ask(path, port: port, method: "HEAD")
                #expect(head.status == get.status && head.body.isEmpty, "\(path)")
                #expect(head.headers["content-length"] == "\(get.body.count)", "\(path)")
                #expect(head.headers["content-type"] == get.headers["content-type"])
            }
        }
    }

    /// A refusal names the methods that the address takes.
    @Test func otherMethodsAreRefused() async throws {
        try await ServedCatalog.serve(world.path) { port in
            for (path, allowed) in [
                ("/", "GET, HEAD"), ("/nope", "GET, HEAD"), ("/style.css", "GET, HEAD"), ("/prompt", "GET, HEAD, POST"),
            ] {
                for method in ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "FOO", "get"] {
                    let reply = try await HTTPClient.ask(path, port: port, method: method)
                    #expect(reply.status == 405, "\(method) \(path): \(reply.status)")
                    #expect(reply.headers["allow"] == allowed, "\(method) \(path)")
                }
            }
            for (path, body) in [("/", "token=x"), ("/dictionaries/1", "")] {
                let own = ["Origin: http://127.0.0.1:\(port)"]
                let reply = try await HTTPClient.ask(path, port: port, method: "POST", headers: own, body: body)
                #expect(reply.status == 405 && reply.headers["allow"] == "GET, HEAD")
            }
            for method in ["GET", "HEAD"] {
                let reply = try await HTTPClient.ask("/prompt.json", port: port, method: method)
                #expect(reply.status == 405 && reply.headers["allow"] == "POST")
            }
        }
    }

    /// A page of another site whose name resolves to this machine reads nothing.
    @Test func onlyOwnNamesAreAnswered() async throws {
        try await ServedCatalog.serve(world.path) { port in
            for host in [
                "127.0.0.1:\(port)", "localhost:\(port)", "LOCALHOST", "127.0.0.1", "localhost:9", "[::1]:\(port)",
            ] {
                #expect(try await HTTPClient.ask("/", port: port, host: host).status == 200, "\(host)")
            }
            for host in [
                "evil.example", "evil.example:\(port)", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1",
                "localhost:x", "[::2]", "[::1]x", "", "127.0.0.1:99999", "127.0.0.1@evil",
            ] {
                let reply = try await HTTPClient.ask("/", port: port, host: host)
                #expect(reply.status == 421, "\(host): \(reply.status)")
                #expect(!reply.text.contains("king"))
            }
            let none = try await HTTPClient.send(Array("GET / HTTP/1.1\r\nConnection: close\r\n\r\n".utf8), port: port)
            #expect(none.status == 421)
        }
    }

    @Test func assetsAreKeptForEverAndPagesAreNot() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let page = try await HTTPClient.ask("/", port: port)
            #expect(page.headers["cache-control"] == "no-store")
            let style = try #require(page.text.firstMatch(of: /href="(\/style\.css\?v=[0-9a-f]+)"/)?.1)
            let reply = try await HTTPClient.ask(String(style), port: port)
            #expect(reply.headers["cache-control"]?.contains("immutable") == true)
            #expect(reply.headers["content-type"] == "text/css; charset=utf-8")
            #expect(try await HTTPClient.ask("/icon.svg", port: port).headers["content-type"] == "image/svg+xml")
            // What an address does not name by its content may be another tomorrow.
            for path in ["/style.css", "/style.css?v=0", "/script.js?v=", "/icon.svg", "/favicon.ico"] {
                let reply = try await HTTPClient.ask(path, port: port)
                #expect(reply.status == 200 && reply.headers["cache-control"] == "no-store", "\(path)")
            }
        }
    }

    @Test func longAddressesAreRefused() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let long = String(repeating: "x", count: 20_000)
            #expect(try await HTTPClient.ask("/search?q=" + long, port: port).status == 414)
            // Too many words, not too long.
            let words = Array(repeating: "x", count: 500).joined(separator: "+")
            let reply = try await HTTPClient.ask("/search?q=" + words, port: port)
            #expect(reply.status == 200 && reply.text.contains("more than 100 words"))
            let data = try await HTTPClient.ask("/search.json?q=" + words, port: port)
            #expect(data.status == 400 && data.text.contains("more than 100 words"))
        }
    }

    @Test func manyRequestsAtOnceAreAllAnswered() async throws {
        try await ServedCatalog.serve(world.path) { port in
            let expected = try await HTTPClient.ask("/dictionaries/1/features/0", port: port).body
            try await withThrowingTaskGroup(of: Bool.self) { group in
                // Four are worked on at once; the others wait for their turn.
                for number in 0..<16 {
                    group.addTask {
                        let path = number % 2 == 0 ? "/dictionaries/1/features/0" : "/dictionaries/1/features"
                        let reply = try await HTTPClient.ask(path, port: port)
                        return reply.status == 200 && (number % 2 != 0 || reply.body == expected)
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    /// Damage shows in its place; the rest of the page is there.
    @Test func damageShowsInItsPlace() async throws {
        let directory = world.directory.path
        let queue = try DatabaseQueue(path: world.path)
        try await queue.write { database in
            try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
            try database.execute(
                sql: "UPDATE feature_context SET other_activations = '{\"1\":' WHERE feature_index = 0")
            try database.execute(sql: "UPDATE feature_layer SET n_fired = -5 WHERE feature_index = 1 AND layer = 0")
        }
        try queue.close()
        try await ServedCatalog.serve(world.path) { port in
            let context = try await HTTPClient.ask("/dictionaries/1/features/0", port: port)
            #expect(context.status == 200)
            #expect(context.text.contains("role=\"alert\"") && context.text.contains("Activations</h2>"))
            let layer = try await HTTPClient.ask("/dictionaries/1/features/1", port: port)
            #expect(layer.status == 200 && layer.text.contains("role=\"alert\""))
            #expect(layer.text.contains("class=\"contexts\""))
            let data = try await HTTPClient.ask("/dictionaries/1/features/0.json", port: port)
            #expect(data.status == 500 && !data.text.contains(directory) && data.text.contains("c.sqlite"))
            #expect(try await HTTPClient.ask("/dictionaries/1/features.json", port: port).status == 500)
            #expect(!context.text.contains(directory))
            #expect(try await HTTPClient.ask("/dictionaries/1/features/2", port: port).status == 200)
        }
    }

    /// Numbers that no index has, in every column that a drawing uses, end in a page or in an error.
    @Test(
        "Impossible numbers do not stop the server",
        arguments: [
            "UPDATE score SET value = 1e300, baseline_value = -1e300",
            "UPDATE feature SET max_activation = 1e308, histogram = '[9007199254740992,9007199254740992,1,1]'",
            "UPDATE feature SET sum_activation = -1e308, sum_square = 1e308, decoder_norm = -1e308, p50 = 9e307",
            "UPDATE feature_context SET activation = 3e38, position = 11", "UPDATE feature_logit SET value = -1e308",
            "UPDATE run_metric SET step = step * 92233720368547758, value = 1e308 * (step % 2)",
            "UPDATE layer_routing SET n_tokens = 9007199254740992, mean_router_weight = -5",
            "UPDATE evaluation SET value = 1e308, low = -1e308, high = 1e308",
            "UPDATE indexing SET n_tokens = 0, window = 1048577, histogram_edges = '[0,0,0,0,0]'",
            "UPDATE dictionary SET layers = '[9007199254740991,0,3]', k = 2147483647",
        ])
    func impossibleNumbersDoNotStopTheServer(statement: String) async throws {
        let queue = try DatabaseQueue(path: world.path)
        try await queue.write { database in
            try database.execute(sql: "PRAGMA ignore_check_constraints = ON")
            // What the file does not let be changed stays as it is.
            do { try database.execute(sql: statement) } catch let error as DatabaseError {
                Issue.record("\(error)")
            }
        }
        try queue.close()
        try await ServedCatalog.serve(world.path) { port in
            for page in PagesTests.pages {
                let reply = try await HTTPClient.ask(page, port: port)
                // A feature of a dictionary with an impossible k or layer is damaged, and nothing else.
                #expect(reply.status == 200 || reply.status == 500, "\(page): \(reply.status)")
                #expect(!reply.text.contains("<script>"))
            }
            #expect(try await HTTPClient.ask("/style.css", port: port).status == 200)
        }
    }

    @Test func aFileThatIsNoCatalogIsRefusedAtOnce() throws {
        let directory = try TemporaryDirectory()
        try "text".write(toFile: directory.file("x.sqlite"), atomically: true, encoding: .utf8)
        for path in [directory.file("x.sqlite"), directory.file("none.sqlite")] {
            #expect(throws: (any Error).self) {
                try ViewerServer(ViewerServer.Settings(catalog: path), workers: Workers(threads: 1))
            }
        }
        #expect(throws: WorkflowError.self) {
            try ViewerServer(
                ViewerServer.Settings(catalog: world.path, host: "example.org"), workers: Workers(threads: 1))
        }
        #expect(throws: WorkflowError.self) {
            try ViewerServer(
                ViewerServer.Settings(catalog: world.path, model: directory.file("none")), workers: Workers(threads: 1))
        }
    }

    /// A port that is taken is an error at the start.
    @Test func anAddressThatIsTakenIsRefused() async throws {
        let path = world.path
        try await ServedCatalog.serve(path) { port in
            #expect(throws: WorkflowError.self) {
                try ViewerServer(ViewerServer.Settings(catalog: path, port: port), workers: Workers(threads: 1))
            }
        }
    }

    /// A file of an earlier version that takes the catalog's place is not called damaged.
    @Test func anOlderFileIsToBeMigrated() async throws {
        let path = world.path
        try await ServedCatalog.serve(path) { port in
            let queue = try DatabaseQueue(path: path)
            try await queue.write { try $0.execute(sql: "PRAGMA user_version = 7") }
            try queue.close()
            let reply = try await HTTPClient.ask("/", port: port)
            #expect(reply.status == 409 && reply.text.contains("migrate it first"), "\(reply.text)")
            #expect(!reply.text.contains("damaged</h1>"))
        }
    }

    /// The files and the scripts that a page names are those that there are, and no page shows a folder of the machine.
    @Test(
        "Folders are left out of messages",
        arguments: [
            ("/home/a b/c.sqlite: is damaged", "c.sqlite: is damaged"),
            ("../x/c.sqlite: no such file", "c.sqlite: no such file"),
            ("cannot read '/tmp/m/config.json'; try", "cannot read 'config.json'; try"),
            ("1/2 of the scores", "1/2 of the scores"), ("a / b", "a / b"), ("run 'routesae index' first", nil),
        ] as [(String, String?)])
    func foldersAreLeftOut(message: String, shown: String?) {
        #expect(PublicMessage.withoutFolders(message) == shown ?? message)
    }

    /// Reading changes nothing.
    @Test func theFileStaysAsItIs() async throws {
        let before = try Data(contentsOf: URL(filePath: world.path))
        try await ServedCatalog.serve(world.path) { port in
            for page in PagesTests.pages { _ = try await HTTPClient.ask(page, port: port) }
        }
        #expect(try Data(contentsOf: URL(filePath: world.path)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.directory.path) == ["c.sqlite"])
    }
}
