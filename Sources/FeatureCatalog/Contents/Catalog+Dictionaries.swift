import Foundation
import GRDB
import Vocabulary

extension Catalog {
    /// Adds a dictionary with its weights, all in one transaction; the tensors are asked for their rows chunk by chunk.
    ///
    /// - Returns: Its key.
    /// - Throws: ``CatalogError`` `.invalidValue` if the record contradicts itself, its name is taken, or a tensor
    ///   gives another number of values than its shape has; and whatever a tensor's rows throw.
    package func addDictionary(_ dictionary: DictionaryRecord, tensors: [DictionaryTensor]) throws -> Int64 {
        try checkJSON(dictionary.configJSON, "config of dictionary \(dictionary.name)")
        return try writeRethrowing { database in
            let taken = try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM dictionary WHERE name = ?)", arguments: [dictionary.name])
            guard taken == false else {
                throw CatalogError(.invalidValue, "\(path): there is a dictionary \"\(dictionary.name)\" already")
            }
            try database.execute(
                sql: """
                    INSERT INTO dictionary (run_id, language_model_id, name, architecture, d_model, n_latents, k,
                        layers, aggregation, routing, fidelity, activation_threshold, relative_threshold, n_tokens_trained,
                        config)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    dictionary.runID, dictionary.languageModelID, dictionary.name, dictionary.architecture.rawValue,
                    dictionary.dModel, dictionary.latentCount, dictionary.k, Self.json(dictionary.layers),
                    dictionary.aggregation?.rawValue, dictionary.routing?.rawValue, dictionary.fidelity.rawValue,
                    dictionary.activationThreshold, dictionary.relativeThreshold, dictionary.trainedTokenCount,
                    dictionary.configJSON,
                ])
            let dictionaryID = database.lastInsertedRowID
            for tensor in tensors { try add(tensor, to: dictionaryID, named: dictionary.name, database) }
            return dictionaryID
        }
    }

    /// All dictionaries, in the order in which they were added.
    package func dictionaries() throws(CatalogError) -> [DictionaryRecord] {
        try read { database in
            try Row.fetchAll(database, sql: Self.dictionaryColumns + " ORDER BY dictionary_id").map(dictionaryRecord)
        }
    }

    /// The dictionary of a name.
    ///
    /// - Throws: ``CatalogError`` `.notFound`; the message lists the names there are.
    package func dictionary(named name: String) throws(CatalogError) -> DictionaryRecord {
        try read { database in
            let row = try Row.fetchOne(database, sql: Self.dictionaryColumns + " WHERE name = ?", arguments: [name])
            guard let row else {
                let names = try String.fetchAll(database, sql: "SELECT name FROM dictionary ORDER BY dictionary_id")
                let list = names.isEmpty ? "none yet" : names.prefix(20).joined(separator: ", ")
                throw CatalogError(.notFound, "\(path): no dictionary \"\(name)\" (there are: \(list))")
            }
            return try dictionaryRecord(row)
        }
    }

    /// The dictionary of a key.
    ///
    /// - Throws: ``CatalogError`` `.notFound`.
    package func dictionary(_ dictionaryID: Int64) throws(CatalogError) -> DictionaryRecord {
        try read { database in
            let row = try Row.fetchOne(
                database, sql: Self.dictionaryColumns + " WHERE dictionary_id = ?", arguments: [dictionaryID])
            guard let row else { throw CatalogError(.notFound, "\(path): no dictionary \(dictionaryID)") }
            return try dictionaryRecord(row)
        }
    }

    private static let dictionaryColumns = """
        SELECT dictionary_id, run_id, language_model_id, name, architecture, d_model, n_latents, k, layers, aggregation,
            routing, fidelity, activation_threshold, relative_threshold, config, n_tokens_trained
        FROM dictionary
        """

    private func dictionaryRecord(_ row: Row) throws -> DictionaryRecord {
        try DictionaryRecord(
            dictionaryID: row.value(0), runID: row.value(1), languageModelID: row.value(2), name: row.value(3),
            architecture: enumeration(row.value(4), "dictionary.architecture"), dModel: row.number(5),
            latentCount: row.number(6), k: row.number(7), layers: integers(row.value(8), "dictionary.layers"),
            aggregation: enumeration(row.value(9), "dictionary.aggregation"),
            routing: enumeration(row.value(10), "dictionary.routing"),
            fidelity: enumeration(row.value(11), "dictionary.fidelity"), activationThreshold: row.value(12),
            relativeThreshold: row.value(13), configJSON: row.value(14), trainedTokenCount: row.tally(15))
    }
}
