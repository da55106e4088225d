extension Text {
    /// All of it in capitals, by the full mapping: ß becomes SS (`str.upper`).
    var uppercased: Text { Text(scalars: scalars.flatMap { $0.properties.uppercaseMapping.unicodeScalars }) }

    /// All of it in small letters; a sigma that ends a word has a form of its own (`str.lower`).
    var lowercased: Text { Text(scalars: scalars.indices.flatMap { lowercased(at: $0) }) }

    /// The first letter as a capital, the others small (`str.capitalize`).
    var capitalized: Text {
        guard let first = scalars.first else { return self }
        return Text(
            scalars: Array(first.properties.titlecaseMapping.unicodeScalars)
                + scalars.indices.dropFirst().flatMap { lowercased(at: $0) })
    }

    /// Every run of letters with a capital first (`str.title`).
    var titled: Text {
        var followsLetter = false
        return Text(
            scalars: scalars.indices.flatMap { index -> [Unicode.Scalar] in
                defer { followsLetter = scalars[index].properties.isCased }
                return followsLetter
                    ? lowercased(at: index) : Array(scalars[index].properties.titlecaseMapping.unicodeScalars)
            })
    }

    /// Whether there are letters with a case and all are of one (`str.isupper`, `str.islower`).
    func isAll(upper: Bool) -> Bool {
        var found = false
        for scalar in scalars {
            let properties = scalar.properties
            if upper ? properties.isLowercase : properties.isUppercase { return false }
            if properties.generalCategory == .titlecaseLetter { return false }
            if upper ? properties.isUppercase : properties.isLowercase { found = true }
        }
        return found
    }

    private func lowercased(at index: Int) -> [Unicode.Scalar] {
        guard scalars[index] == "Σ" else { return Array(scalars[index].properties.lowercaseMapping.unicodeScalars) }
        return [isFinalSigma(at: index) ? "ς" : "σ"]
    }

    /// The condition Final_Sigma of the Unicode standard, section 3.13.
    private func isFinalSigma(at index: Int) -> Bool {
        let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }
}
