import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing
import Vocabulary

/// A catalog of version 7, which has imported dictionaries and no histograms of equal bins.
@Suite struct VersionSevenTests {
    private let catalog: ThawedCatalog
    private var path: String { catalog.path }

    init() throws { catalog = try ThawedCatalog(.seven) }

    @Test("Every row survives, and what a dictionary does to its input") func everyRowIsFoundAgain() throws {
        #expect(try Catalog.migrate(at: path) == 7)
        try catalog.expectEveryRow()
        let migrated = try Catalog.open(at: path, mode: .readOnly)
        #expect(try migrated.verify() == [])
        let records = try migrated.dictionaries()
        #expect(records.map(\.rules.input) == [.layerNorm, .layerNorm, .none, .none])
        #expect(records.map(\.rules.selection) == [.activation, .activation, nil, .activationTimesNorm])
        #expect(records.map(\.rules.thresholdForm) == [nil, nil, .value, nil])
        for table in ["feature_linear_histogram", "feature_logit_histogram"] {
            #expect(try catalog.rows(path, "SELECT count(*) FROM \(table)").map { $0[0] as Int } == [0])
        }
    }

    @Test("A change by another hand before migrating still shows") func aChangeBeforeStillShows() throws {
        try catalog.execute("UPDATE dictionary SET input_normalization = 'unit_norm' WHERE dictionary_id = 4")
        try Catalog.migrate(at: path)
        let problems = try Catalog.open(at: path, mode: .readOnly).verify()
        #expect(problems.map(\.place) == ["dictionary"])
    }
}
