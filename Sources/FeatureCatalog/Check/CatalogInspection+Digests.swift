extension CatalogInspection {
    /// Checks that the rows of every table are those that this software wrote.
    mutating func checkDigests(_ sums: RowSums) throws {
        for difference in try sums.differences(database) { add(difference.place, difference.reason) }
    }
}
