package hydrofhir.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport.IssueSeverity;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/**
 * HAPI's validator as a command that needs no network: one resource or Bundle per line in, one JSON line of issues
 * out, in the same order and flushed at once, until the input ends.
 *
 * <p>{@code --fhir R4|R5} chooses the release, {@code --definitions DIR} adds our own StructureDefinitions, ValueSets
 * and CodeSystems. A line that is no JSON object, or at which the validator itself fails, is answered with an error
 * like any other.
 */
public final class Validator {

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final FhirContext fhir;
    private final FhirValidator validator;

    Validator(FhirContext fhir, Path definitions) throws IOException {
        this.fhir = fhir;
        UnknownCodeSystemWarningValidationSupport unknownSystems = new UnknownCodeSystemWarningValidationSupport(fhir);
        // SNOMED CT, LOINC and ICD are not on board: a code of theirs is no reason for a warning.
        unknownSystems.setNonExistentCodeSystemSeverity(IssueSeverity.INFORMATION);
        ValidationSupportChain support =
                new ValidationSupportChain(
                        new DefaultProfileValidationSupport(fhir),
                        new Definitions(fhir, definitions),
                        new CommonCodeSystemsTerminologyService(fhir),
                        new InMemoryTerminologyServerValidationSupport(fhir),
                        new SnapshotGeneratingValidationSupport(fhir),
                        unknownSystems);
        FhirInstanceValidator instances = new FhirInstanceValidator(support);
        instances.setBestPracticeWarningLevel(BestPracticeWarningLevel.Ignore);
        instances.setErrorForUnknownProfiles(true);
        this.validator = fhir.newValidator().registerValidatorModule(instances);
    }

    /** Checks one line; never throws for what the line contains. */
    ObjectNode check(long number, String line) {
        ObjectNode answer = JSON.createObjectNode();
        answer.put("line", number);
        ArrayNode issues = JSON.createArrayNode();
        JsonNode resource = parse(line);
        answer.put("resourceType", resource == null ? null : resource.path("resourceType").textValue());
        answer.put("id", resource == null ? null : resource.path("id").textValue());
        answer.set("issues", issues);
        if (resource == null) {
            add(issues, "error", "", "The line is not a JSON object.", "not-json");
            return answer;
        }
        try {
            if (line.contains("\"StructureDefinition\"")) {
                CorePackage.prepare(fhir);
            }
            for (SingleValidationMessage found : validator.validateWithResult(line).getMessages()) {
                add(
                        issues,
                        severity(found.getSeverity()),
                        found.getLocationString(),
                        found.getMessage(),
                        found.getMessageId());
            }
        } catch (RuntimeException | StackOverflowError failure) {
            add(issues, "error", "", "The validator failed: " + failure.getClass().getSimpleName(), "validator-failed");
        }
        return answer;
    }

    private static JsonNode parse(String line) {
        try {
            JsonNode node = JSON.readTree(line);
            return node != null && node.isObject() ? node : null;
        } catch (JsonProcessingException broken) {
            return null;
        }
    }

    private static String severity(ResultSeverityEnum severity) {
        return switch (severity) {
            case FATAL, ERROR -> "error";
            case WARNING -> "warning";
            case INFORMATION -> "information";
        };
    }

    private static void add(ArrayNode issues, String severity, String location, String message, String id) {
        ObjectNode issue = issues.addObject();
        issue.put("severity", severity);
        issue.put("location", location == null ? "" : location);
        issue.put("message", message);
        issue.put("messageId", id == null ? "" : id);
    }

    public static void main(String[] arguments) throws IOException {
        FhirContext fhir = null;
        Path definitions = null;
        for (int at = 0; at < arguments.length; at += 2) {
            String value = at + 1 < arguments.length ? arguments[at + 1] : "";
            switch (arguments[at] + " " + value) {
                case "--fhir R4" -> fhir = FhirContext.forR4();
                case "--fhir R5" -> fhir = FhirContext.forR5();
                default -> {
                    if (!arguments[at].equals("--definitions") || value.isEmpty()) {
                        usage();
                    }
                    definitions = Path.of(value);
                }
            }
        }
        if (fhir == null) {
            usage();
        }

        // What libraries print by the way must not get between the answers.
        PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err);

        Validator validator = new Validator(fhir, definitions);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        long number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            number++;
            if (!line.isBlank()) {
                answers.print(JSON.writeValueAsString(validator.check(number, line)) + "\n");
                answers.flush();
            }
        }
    }

    private static void usage() {
        System.err.println("usage: Validator --fhir R4|R5 [--definitions DIR] < resources.ndjson");
        System.exit(2);
    }
}
