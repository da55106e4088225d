import FeatureCatalog
import Foundation
import GRDB
import TestSupport
import Testing
import Vocabulary

/// A catalog of version 6, whose dictionaries did not say what they do to their input.
@Suite struct VersionSixTests {
    private let catalog: ThawedCatalog
    private var path: String { catalog.path }

    init() throws { catalog = try ThawedCatalog(.six) }

    private func execute(_ sql: String) throws { try catalog.execute(sql) }

    @Test("Every row of every table and view survives migrating") func everyRowIsFoundAgain() throws {
        #expect(try Catalog.migrate(at: path) == 6)
        try catalog.expectEveryRow()
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        #expect(try catalog.verify() == [])
        #expect(try catalog.dictionaries().count == 2)
        for record in try catalog.dictionaries() {
            #expect(record.rules == EncodingRules(record.architecture, record.fidelity, k: record.k))
            #expect(record.rules.input == .layerNorm && record.rules.inputEpsilon == 1e-6)
        }
    }

    @Test(
        "Dictionaries keep the rules of their architecture",
        arguments: Architecture.allCases, Fidelity.allCases)
    func rulesAreThoseOfTheArchitecture(architecture: Architecture, fidelity: Fidelity) throws {
        let k = architecture.activeLatents == .penalised ? "NULL" : "2"
        try execute(
            """
            UPDATE dictionary SET architecture = '\(architecture.rawValue)', fidelity = '\(fidelity.rawValue)', k = \(k)
            WHERE dictionary_id = 1
            """)
        try Catalog.migrate(at: path)
        let record = try Catalog.open(at: path, mode: .readOnly).dictionary(1)
        #expect(record.rules == EncodingRules(architecture, fidelity, k: record.k))
    }

    @Test("A change by another hand before migrating still shows") func aChangeBeforeStillShows() throws {
        try execute("UPDATE dictionary SET n_tokens_trained = 7 WHERE dictionary_id = 1")
        try Catalog.migrate(at: path)
        let problems = try Catalog.open(at: path, mode: .readOnly).verify()
        #expect(problems.map(\.place) == ["dictionary"])
    }

    @Test("Rules that contradict each other cannot be written") func rulesAreConstrained() throws {
        try Catalog.migrate(at: path)
        for change in [
            "input_epsilon = NULL", "input_scale = 2", "input_normalization = 'none'", "subtracts_pre_bias = 2",
            "selection = NULL", "selection = 'x'", "threshold_form = 'log'",
            "input_normalization = 'scale', input_epsilon = NULL",
        ] {
            #expect(throws: DatabaseError.self, "\(change)") {
                try execute("UPDATE dictionary SET \(change) WHERE dictionary_id = 1")
            }
        }
    }
}
