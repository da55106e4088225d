import FeatureCatalog
import Foundation
import GRDB
import Interchange
import JSON
import TestSupport
import Testing
import WorkflowWorlds

@Suite struct CircuitTracerExportTests {
    private let world: ExplainedCatalog

    init() throws { world = try ExplainedCatalog() }

    @Test func circuitTracerHasAPageForEveryFeatureAndLayer() throws {
        try world.tiny.open(world.path) { catalog in
            _ = try CircuitTracerExport(dictionary: nil, folder: world.file("packed")).run(from: catalog)
            _ = try CircuitTracerExport(dictionary: nil, folder: world.file("loose"), hasFileForEach: true).run(
                from: catalog)
        }
        let index = try JSONParser.parse(unpacked(world.file("packed") + "/features/index.json.gz"))
        var examples = 0
        var names: Set<String> = []
        for layer in 0..<2 {
            let entry = try #require(index["\(layer)"])
            #expect(entry["filename"] == .string("layer_\(layer).bin"))
            let data = try Data(contentsOf: URL(filePath: world.file("packed") + "/features/layer_\(layer).bin"))
            let offsets = numbers(entry["offsets"]).map { Int($0) }
            try #require(offsets.count == 33 && offsets.first == 0 && offsets.last == data.count)
            for feature in 0..<32 {
                let piece = [UInt8](data[offsets[feature]..<offsets[feature + 1]])
                let length = (0..<4).reduce(0) { $0 | Int(piece[$1]) << (8 * $1) }
                #expect(length == piece.count - 4)
                let member = world.file("member.gz")
                try Data(piece.dropFirst(4)).write(to: URL(filePath: member))
                let page = try unpacked(member)
                let name = "\((layer + feature) * (layer + feature + 1) / 2 + feature).json"
                names.insert(name)
                #expect(try Data(contentsOf: URL(filePath: world.file("loose") + "/" + name)) == page)
                examples += try check(JSONParser.parse(page), feature, layer)
            }
        }
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: world.file("loose"))) == names && names.count == 64)
        #expect(try world.rows("SELECT count(*) FROM feature_context WHERE band < 2")[0][0] == examples)
    }

    /// Checks a page, and counts its examples.
    private func check(_ page: JSONValue, _ feature: Int, _ layer: Int) throws -> Int {
        let row = try world.rows(
            "SELECT n_fired, max_activation FROM feature_layer WHERE feature_index = \(feature) AND layer = \(layer)"
        ).first
        #expect(page["index"] == .integer(feature))
        #expect(abs((page["act_max"]?.double ?? -1) - (row?[1] ?? 0)) < 1e-4)
        #expect((page["activation_frequency"]?.double ?? 0 > 0) == (row != nil))
        var count = 0
        guard case .array(let quantiles)? = page["examples_quantiles"] else { return 0 }
        for case .array(let examples)? in quantiles.map({ $0["examples"] }) {
            for example in examples {
                let values = numbers(example["tokens_acts_list"])
                let peak = example["train_token_ind"]?.wholeNumber ?? -1
                #expect(strings(example["tokens"]).count == values.count)
                #expect(values.indices.contains(peak) && values[peak] > 0)
                #expect(example["is_repeated_datapoint"] == .boolean(false))
                count += 1
            }
        }
        #expect(row != nil || count == 0)
        return count
    }
}
