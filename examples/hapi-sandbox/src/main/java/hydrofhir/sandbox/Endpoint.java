package hydrofhir.sandbox;

import ca.uhn.fhir.batch2.api.IJobMaintenanceService;
import ca.uhn.fhir.batch2.jobs.export.BulkDataExportProvider;
import ca.uhn.fhir.batch2.maintenance.JobMaintenanceServiceImpl;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.IDaoRegistry;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.config.JpaConfig;
import ca.uhn.fhir.jpa.interceptor.UserRequestRetryVersionConflictsInterceptor;
import ca.uhn.fhir.jpa.provider.DaoRegistryResourceSupportedSvc;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.api.IResourceSupportedSvc;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IInstanceValidatorModule;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.beans.factory.config.AutowireCapableBeanFactory;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The FHIR REST endpoint at {@code /fhir}: providers, paging, and the interceptors that the switches ask for. */
@Configuration(proxyBeanMethods = false)
public class Endpoint {

    @Bean
    public DatabaseBackedPagingProvider paging(
            @Value("${sandbox.page-size}") int usual, @Value("${sandbox.page-limit}") int largest) {
        DatabaseBackedPagingProvider paging = new DatabaseBackedPagingProvider();
        paging.setDefaultPageSize(usual);
        paging.setMaximumPageSize(largest);
        return paging;
    }

    @Bean
    public IResourceSupportedSvc supportedTypes(IDaoRegistry daos) {
        return new DaoRegistryResourceSupportedSvc(daos);
    }

    @Bean
    public RestfulServer fhirServer(
            FhirContext fhir,
            IFhirSystemDao<?, ?> system,
            IJpaSystemProvider systemProvider,
            ResourceProviderFactory resourceProviders,
            BulkDataExportProvider export,
            JpaStorageSettings settings,
            ISearchParamRegistry searchParameters,
            DatabaseBackedPagingProvider paging,
            @Qualifier(JpaConfig.JPA_VALIDATION_SUPPORT_CHAIN) IValidationSupport support,
            IInstanceValidatorModule validator,
            @Value("${sandbox.validate}") boolean validate,
            @Value("${sandbox.retry-conflicts}") boolean retryConflicts) {
        RestfulServer server = new RestfulServer(fhir);
        server.registerProviders(resourceProviders.createProviders());
        server.registerProvider(systemProvider);
        server.registerProvider(export);
        server.setPagingProvider(paging);

        JpaCapabilityStatementProvider capabilities =
                new JpaCapabilityStatementProvider(server, system, settings, searchParameters, support);
        capabilities.setImplementationDescription("hydrofhir sandbox");
        server.setServerConformanceProvider(capabilities);

        if (validate) {
            CorePackage.prepare(fhir);
            RequestValidatingInterceptor interceptor = new RequestValidatingInterceptor();
            interceptor.addValidatorModule(validator);
            interceptor.setFailOnSeverity(ResultSeverityEnum.ERROR);
            server.registerInterceptor(interceptor);
        }
        if (retryConflicts) {
            server.registerInterceptor(new UserRequestRetryVersionConflictsInterceptor());
        }
        return server;
    }

    @Bean
    public ServletRegistrationBean<RestfulServer> fhirServlet(RestfulServer server, AutowireCapableBeanFactory beans) {
        beans.autowireBean(server);
        ServletRegistrationBean<RestfulServer> servlet = new ServletRegistrationBean<>(server, "/fhir/*");
        servlet.setLoadOnStartup(1);
        return servlet;
    }

    /** Batch jobs advance one step per maintenance pass; the usual pass a minute makes every export slow. */
    @Bean
    public SmartInitializingSingleton quickJobs(
            IJobMaintenanceService maintenance, @Value("${sandbox.job-interval-ms}") long interval) {
        return () -> {
            if (maintenance instanceof JobMaintenanceServiceImpl implementation) {
                implementation.setScheduledJobFrequencyMillis(interval);
            }
        };
    }
}
